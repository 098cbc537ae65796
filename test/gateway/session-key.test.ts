/** Which messages share a conversation. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { MessageSource } from "#core/ports/platform";
import { sessionKey, type Sharing } from "#gateway/session-key";

const source = (options: Partial<MessageSource>): MessageSource => ({
  platform: "telegram",
  chat_type: "dm",
  chat_id: "1",
  user_id: "7",
  thread_id: null,
  ...options,
});

test("keys have the form that Hermes gives them", () => {
  const group = { chat_type: "group", chat_id: "-100" };
  assert.equal(sessionKey(source({}), {}), "agent:main:telegram:dm:1");
  assert.equal(sessionKey(source({ thread_id: "9" }), {}), "agent:main:telegram:dm:1:9");
  assert.equal(sessionKey(source(group), {}), "agent:main:telegram:group:-100:7");
  assert.equal(sessionKey(source(group), { group_sessions_per_user: false }), "agent:main:telegram:group:-100");
  const thread = { ...group, chat_type: "thread", thread_id: "9" };
  assert.equal(sessionKey(source(thread), {}), "agent:main:telegram:thread:-100:9");
  assert.equal(sessionKey(source(thread), { thread_sessions_per_user: true }), "agent:main:telegram:thread:-100:9:7");
  assert.equal(
    sessionKey(source({ platform: "api_server", chat_id: "my:name%" }), {}),
    "agent:main:api_server:dm:my%3Aname%25",
  );
});

test("a thread of a group is shared whatever the platform calls its chat type", () => {
  const one = source({ chat_type: "group", chat_id: "c", thread_id: "9", user_id: "1" });
  assert.equal(sessionKey(one, {}), sessionKey({ ...one, user_id: "2", chat_type: "thread" }, {}));
});

/** Names that look like parts of a key, or like what escapes them. */
const id = fc.oneof(
  fc.constantFrom("", "a", "b", ":", "a:b", "%", "%3A", "%3a", "%25", "a%3Ab", "dm", "thread", "agent:main"),
  fc.string({ maxLength: 4 }),
);
const sources = fc.record({
  platform: fc.constantFrom("p", "p:dm", "p%3Adm", "q"),
  chat_type: fc.constantFrom("dm", "group", "channel", "thread", "group:a"),
  chat_id: id,
  user_id: id,
  thread_id: fc.option(id, { nil: null }),
});
const sharings = fc.record({ group_sessions_per_user: fc.boolean(), thread_sessions_per_user: fc.boolean() });

/** What makes two sources share a conversation, said another way than the code does: as a list of its parts. */
function circle({ platform, chat_type, chat_id, user_id, thread_id }: MessageSource, sharing: Sharing): unknown {
  const thread = thread_id ?? "";
  if (chat_type === "dm") return { platform, kind: "dm", chat_id, thread };
  if (chat_type === "thread" || thread !== "") {
    return { platform, kind: "thread", chat_id, thread, user: sharing.thread_sessions_per_user ? user_id : null };
  }
  return { platform, kind: "chat", chat_type, chat_id, user: sharing.group_sessions_per_user ? user_id : null };
}

test("two sources have one key exactly when they share a conversation, colons in ids or not", () => {
  fc.assert(
    fc.property(sources, sources, sharings, (one, other, sharing) => {
      const isSame = JSON.stringify(circle(one, sharing)) === JSON.stringify(circle(other, sharing));
      assert.equal(sessionKey(one, sharing) === sessionKey(other, sharing), isSame);
    }),
    { numRuns: 5000 },
  );
});

test("sources that differ in one part only, the likeliest to be taken for each other", () => {
  fc.assert(
    fc.property(
      sources,
      fc.constantFrom("chat_id", "user_id", "thread_id", "chat_type") as fc.Arbitrary<keyof MessageSource>,
      id,
      sharings,
      (one, part, value, sharing) => {
        if (part === "chat_type" && value === "") return;
        const other = { ...one, [part]: value };
        const isSame = JSON.stringify(circle(one, sharing)) === JSON.stringify(circle(other, sharing));
        assert.equal(sessionKey(one, sharing) === sessionKey(other, sharing), isSame);
      },
    ),
    { numRuns: 5000 },
  );
});
