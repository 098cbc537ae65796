/** `api_server`: what a request says about its conversation and its messages, over real HTTP. */
import test from "node:test";
import assert from "node:assert/strict";
import { SESSION } from "../../helpers/inbox.ts";
import { startBench } from "./api-server-bench.ts";

const IMAGE = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" } };

test("with a conversation name, only the last user message is used", async (t) => {
  const { ask, inbox } = await startBench(t);
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] },
    { role: "assistant", content: "What?" },
    {
      role: "user",
      content: [
        { type: "text", text: "the " },
        { type: "text", text: "last words" },
      ],
    },
    { role: "assistant", content: "half an ans" },
  ];
  await ask({ messages }, { "x-hermes-session-id": "anna" });
  await ask({ messages, user: "ben" });
  await ask({ messages, user: "ben" }, { "x-hermes-session-id": " anna " });
  const source = (name: string) => ({
    platform: "api_server",
    chat_type: "dm",
    chat_id: name,
    user_id: name,
    thread_id: null,
  });
  for (const [index, name] of ["anna", "ben", "anna"].entries()) {
    const { message, reply } = inbox.received[index]!;
    assert.equal(message.text, "the last words");
    assert.equal(message.internal, false);
    assert.equal(reply?.instructions, "Be brief.");
    assert.deepEqual(message.source, source(name));
    assert.equal(reply?.history, undefined);
  }
  assert.equal(new Set(inbox.received.map(({ message }) => message.message_id)).size, 3);
});

test("without a name the messages are the whole conversation", async (t) => {
  const { ask, inbox } = await startBench(t);
  const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
  const response = await ask({
    user: "",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "developer", content: "Be kind." },
      { role: "user", content: "first", name: "injected" },
      { role: "assistant", content: null, tool_calls: [{ ...call, index: 0 }] },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "seen" }] },
      { role: "assistant", content: "done" },
      { role: "user", content: "second" },
    ],
  });
  assert.equal(response.status, 200);
  const [{ message, reply }] = inbox.received as [(typeof inbox.received)[0]];
  assert.equal(message.text, "second");
  assert.equal(reply?.instructions, "Be brief.\n\nBe kind.");
  assert.deepEqual(reply?.history, [
    { role: "user", content: "first" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "seen" },
    { role: "assistant", content: "done" },
  ]);
  assert.equal(message.source.chat_id, message.source.user_id);
  await ask({});
  assert.deepEqual(inbox.received[1]?.reply?.history, []);
  assert.notEqual(inbox.received[1]?.message.source.chat_id, message.source.chat_id);
});

test("images, roles and refusals of histories that other servers wrote", async (t) => {
  const { ask, inbox } = await startBench(t);
  const messages = [
    { role: "user", content: [{ type: "text", text: "look" }, IMAGE] },
    { role: "assistant", content: null, refusal: "I can't." },
    { role: "assistant", content: [{ type: "refusal", refusal: "I won't." }] },
    { role: "assistant", content: null, function_call: { name: "look", arguments: "{}" } },
    { role: "function", name: "look", content: "seen" },
    { role: "function", name: "other", content: "also" },
    { role: "user", content: [IMAGE] },
  ];
  assert.equal((await ask({ messages })).status, 200);
  const { message, reply } = inbox.received[0]!;
  const image = { media_type: "image/png", data: "iVBORw0KGgo=" };
  assert.deepEqual([message.text, message.images], ["", [image]]);
  const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  assert.deepEqual(reply?.history, [
    { role: "user", content: "look", images: [image] },
    { role: "assistant", content: "I can't." },
    { role: "assistant", content: "I won't." },
    { role: "assistant", content: null, tool_calls: [call("function_call_3", "look")] },
    { role: "tool", content: "seen", tool_call_id: "function_call_3" },
    { role: "assistant", content: null, tool_calls: [call("function_call_5", "other")] },
    { role: "tool", content: "also", tool_call_id: "function_call_5" },
  ]);
  await ask({ user: "anna", messages });
  assert.deepEqual(inbox.received[1]?.message.images, [image]);
});

test("a conversation without a name has one by its beginning", async (t) => {
  const { ask, inbox } = await startBench(t);
  const system = { role: "system", content: "Be brief." };
  const first = { role: "user", content: "hello" };
  const next = [
    { role: "assistant", content: "hi" },
    { role: "user", content: "and then?" },
  ];
  const requests = [
    [system, first],
    [system, first, ...next],
    [first],
    [{ ...system, content: "Be kind." }, first],
    [system, { ...first, content: "goodbye" }],
    [system, { ...first, content: [{ type: "text", text: "hello" }, IMAGE] }],
  ];
  for (const messages of requests) await ask({ messages });
  const names = inbox.received.map(({ message }) => message.source.chat_id);
  assert.match(names[0]!, /^api-[0-9a-f]{16}$/);
  assert.equal(names[1], names[0]);
  assert.equal(new Set(names).size, 5);
});

test("the session's header in both directions", async (t) => {
  const { ask, inbox } = await startBench(t);
  await ask({}, { "x-hermes-session-id": SESSION });
  await ask({ user: SESSION });
  await ask();
  assert.deepEqual(
    inbox.received.map(({ reply }) => reply?.session_id),
    [SESSION, undefined, undefined],
  );
});

test("names are of any script, in header and body alike", async (t) => {
  const { port, ask, raw, inbox } = await startBench(t);
  for (const name of ["Zoë 日本", "👩‍👩‍👧", "क्‍ष", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"]) {
    await ask({ user: name });
    assert.equal(inbox.received.pop()?.message.source.chat_id, name);
  }
  await ask({ user: "Zoë 日本" });
  const body = JSON.stringify({ messages: [{ role: "user", content: "hi" }] });
  await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
      `x-hermes-session-id: Zoë 日本\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await inbox.count(2);
  assert.deepEqual(
    inbox.received.map(({ message }) => message.source.chat_id),
    ["Zoë 日本", "Zoë 日本"],
  );
});
