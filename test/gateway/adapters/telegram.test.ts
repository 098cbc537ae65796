/** `telegram`: which updates are messages, and what the platform bears of a server that misbehaves. */
import test from "node:test";
import assert from "node:assert/strict";
import { createTelegram } from "#gateway/adapters/telegram/adapter";
import { messageFrom } from "#gateway/adapters/telegram/updates";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";
import { BOT_NAME, TelegramServer, TOKEN } from "../../helpers/telegram-server.ts";
import { makeBench, startBench } from "./telegram-bench.ts";
import { until } from "../../helpers/poll.ts";

const SECRET = TOKEN.split(":")[1]!;

/** The error of a start, whose text must not hold the token anywhere, nested errors included. */
async function startError(adapter: {
  start(inbox: TestInbox): Promise<void>;
}): Promise<{ code: string; message: string }> {
  const error = await adapter.start(new TestInbox()).then(
    () => assert.fail("it started"),
    (thrown: unknown) => thrown as Error & { code: string },
  );
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    assert.ok(!`${inner.stack}${JSON.stringify(inner)}`.includes(SECRET), "the error holds no token");
  }
  return error;
}

test("a message arrives unchanged, with its source and an id", async (t) => {
  const { server, inbox } = await startBench(t);
  const { message_id: id } = server.say("hello");
  await inbox.count(1);
  assert.deepEqual(inbox.received[0]?.message, {
    text: "hello",
    source: { platform: "telegram", chat_type: "dm", chat_id: "42", user_id: "42", thread_id: null },
    message_id: `42:${id}`,
    internal: false,
  });
  assert.equal(inbox.received[0]?.reply, undefined);
});

const person = { id: 7, is_bot: false };
const group = { id: -100, type: "supergroup" };
const forum = { ...group, is_forum: true };
const base = { message_id: 5, chat: group, from: person, text: "hi" };
const SOURCES: readonly (readonly [message: object, chatType: string, threadId: string | null])[] = [
  [{ ...base, chat: { id: 7, type: "private" } }, "dm", null],
  [{ ...base, chat: { id: -1, type: "group" } }, "group", null],
  [base, "group", null],
  [{ ...base, message_thread_id: 9 }, "group", null],
  [{ ...base, message_thread_id: 9, is_topic_message: true }, "thread", "9"],
  [{ ...base, chat: forum, message_thread_id: 9 }, "thread", "9"],
  [{ ...base, chat: forum }, "group", null],
];

test("where a message came from", () => {
  for (const [message, chatType, threadId] of SOURCES) {
    const source = messageFrom({ message }, BOT_NAME)?.source;
    assert.deepEqual([source?.chat_type, source?.thread_id, source?.user_id], [chatType, threadId, "7"]);
  }
});

const TEXTS: readonly (readonly [fields: object, text: string | null])[] = [
  [{ text: "/new@HermesTestBot" }, "/new"],
  [{ text: "/new@hermestestbot now" }, "/new now"],
  [{ text: "/new@hermestestbot\nnow" }, "/new\nnow"],
  [{ text: "/new@OtherBot" }, null],
  [{ text: "/new" }, "/new"],
  [{ text: "say /new@HermesTestBot" }, "say /new@HermesTestBot"],
  [{ text: "/a@b.example is an address" }, "/a@b.example is an address"],
  [{ text: undefined, caption: "what is this?" }, "what is this?"],
  [{ text: undefined }, null],
  [{ text: "" }, null],
  [{ from: { id: 1, is_bot: true } }, null],
  [{ from: undefined }, null],
  [{ sender_chat: { id: -5 } }, null],
  [{ chat: { id: -5, type: "channel" } }, null],
];

test("which texts are messages, and commands lose the bot's name", () => {
  for (const [fields, text] of TEXTS) {
    assert.equal(
      messageFrom({ message: { ...base, ...fields } }, BOT_NAME)?.text ?? null,
      text,
      JSON.stringify(fields),
    );
  }
  for (const update of [
    null,
    3,
    "x",
    {},
    { message: 3 },
    { message: {} },
    { edited_message: base },
    { channel_post: base },
  ]) {
    assert.equal(messageFrom(update, BOT_NAME), null);
  }
});

test("updates of no known form cost nothing but themselves", async (t) => {
  const { server, inbox } = await startBench(t);
  server.push({ edited_message: base }, { channel_post: base }, { message: null }, { message: { chat: 3 } }, {});
  server.say("after them");
  await inbox.count(1);
  assert.deepEqual(inbox.texts, ["after them"]);
});

test("100 updates at once are handed over in order, without waiting for a turn", async (t) => {
  const { server, inbox } = await startBench(t);
  inbox.answering = () => new Promise(() => undefined);
  for (let count = 0; count < 100; count++) {
    const chat = { id: count % 3, type: "private" };
    server.say(`message ${count}`, { chat, from: { id: count % 3, is_bot: false } });
  }
  await inbox.count(100);
  assert.deepEqual(
    inbox.texts,
    Array.from({ length: 100 }, (_, count) => `message ${count}`),
  );
});

test("the same update twice is the same message id", async (t) => {
  const { server, inbox } = await startBench(t);
  server.forgetful = true;
  server.say("again");
  await inbox.count(3);
  assert.equal(new Set(inbox.received.map(({ message }) => message.message_id)).size, 1);
  // It does not ask as quickly as it can while nothing new comes.
  const polls = server.callsOf("getUpdates");
  assert.ok(polls.at(-1)!.at - polls.at(-2)!.at > 100, "there is a pause between the polls");
});

test("what was handed over is confirmed by the next poll, and at a stop", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  server.say("one");
  await inbox.count(1);
  await until(() => server.confirmed.length === 1, "confirmed by the next poll");
  server.say("two");
  await inbox.count(2);
  await adapter.stop();
  assert.equal(server.confirmed.length, 2);
});

test("a stop ends polling at once and accepts no more messages; it can be started again", async (t) => {
  const { server, adapter, inbox } = await startBench(t, { timing: { pollSeconds: 50 } });
  await until(() => server.callsOf("getUpdates").length > 0, "it polls");
  await adapter.stop();
  server.say("later");
  assert.equal(inbox.received.length, 0);
  await assert.rejects(adapter.send("42", "x"), { code: "HERMES_ADAPTER_SEND" });
  await adapter.start(inbox);
  await inbox.count(1);
  assert.deepEqual(inbox.texts, ["later"]);
});

test("a server that is down: start says which one and why, and can be tried again", async (t) => {
  const { server, adapter, inbox } = await makeBench(t);
  await server.stop();
  const error = await startError(adapter);
  assert.equal(error.code, "HERMES_ADAPTER_START");
  assert.match(error.message, new RegExp(`${server.url} cannot be reached: .*ECONNREFUSED`));
  await server.start();
  server.say("there you are");
  await adapter.start(inbox);
  await inbox.count(1);
});

test("a wrong token, and none, are named by their setting", async (t) => {
  const { server, adapter } = await makeBench(t);
  server.token = "7:other";
  const wrong = await startError(adapter);
  assert.equal(wrong.code, "HERMES_ADAPTER_CONFIG");
  assert.match(
    wrong.message,
    /rejected the token \(Unauthorized \(401\)\)\. Check gateway\.platforms\.telegram\.token/,
  );
  const missing = await startError(createTelegram({ log: noteLog().log, warn: () => undefined }));
  assert.deepEqual(
    [missing.code, missing.message.includes("telegram.token is missing")],
    ["HERMES_ADAPTER_CONFIG", true],
  );
});

test("a server that is not Telegram's, or repeats the token, is reported without the token", async (t) => {
  const { server, adapter } = await makeBench(t);
  server.misbehave("getMe", "html", "drop", { status: 500, description: `broken at /bot${TOKEN}/getMe and ${SECRET}` });
  assert.match((await startError(adapter)).message, /does not speak the Bot API/);
  assert.match((await startError(adapter)).message, /cannot be reached: /);
  assert.match((await startError(adapter)).message, /broken at \/bot\[redacted\]\/getMe and \[redacted\] \(500\)/);
});

test("an address with a slash at its end is the same address", async (t) => {
  const server = await new TelegramServer().start();
  t.after(() => server.stop());
  const adapter = createTelegram({
    token: TOKEN,
    api_root: `${server.url}/`,
    log: noteLog().log,
    warn: () => undefined,
  });
  await adapter.start(new TestInbox());
  await adapter.stop();
});

test("polls that fail are tried again, later and later, logged once, until messages come again", async (t) => {
  const { server, inbox, lines } = await startBench(t, { timing: { firstPause: 20, longestPause: 160 } });
  const bad = { status: 502, description: "Bad Gateway" };
  server.misbehave("getUpdates", bad, bad, bad, bad, bad, "drop", "html");
  server.dropConnections();
  server.say("at last");
  await inbox.count(1);
  assert.deepEqual(inbox.texts, ["at last"]);
  const warnings = lines.filter((line) => line.startsWith("warn"));
  assert.equal(warnings.length, 1, lines.join("\n"));
  assert.match(warnings[0]!, /^warn telegram: cannot receive messages: .*; retrying$/);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("info")),
    ["info telegram: receiving messages again"],
  );
  const at = server.callsOf("getUpdates").map((call) => call.at);
  const pauses = at.slice(1).map((moment, index) => moment - at[index]!);
  // The least that each pause may be; how long it was beyond that is the machine's.
  for (const [index, least] of [20, 40, 80, 160, 160].entries()) {
    assert.ok(pauses[pauses.length - 6 + index]! >= least * 0.9, `pause ${index}: ${pauses.join(" ")}`);
  }
});

test("a server that is down for a while loses nothing", async (t) => {
  const { server, inbox } = await startBench(t);
  server.say("before");
  await inbox.count(1);
  await server.stop();
  server.say("while it was down");
  await server.start();
  await inbox.count(2);
  assert.deepEqual(inbox.texts, ["before", "while it was down"]);
});

test("polls obey retry_after, and say what 401 and 409 mean", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  await until(() => server.callsOf("getUpdates").length > 0, "it polls");
  const before = server.callsOf("getUpdates").length;
  server.misbehave("getUpdates", { status: 429, description: "Too Many Requests", parameters: { retry_after: 0.3 } });
  server.dropConnections();
  server.say("patience");
  await inbox.count(1);
  const [limited, next] = server.callsOf("getUpdates").slice(before);
  assert.ok(next!.at - limited!.at >= 285, `${next!.at - limited!.at} ms`);
  for (const [failure, advice] of [
    [{ status: 409, description: "Conflict: terminated by other getUpdates request" }, /Another program is fetching/],
    [{ status: 409, description: "Conflict: can't use getUpdates method while webhook is active" }, /deleteWebhook/],
    [{ status: 401, description: "Unauthorized" }, /Check gateway\.platforms\.telegram\.token/],
  ] as const) {
    const count = inbox.received.length;
    server.misbehave("getUpdates", failure);
    server.say("wakes the poll before the one that fails");
    await inbox.count(count + 1);
    server.say("comes after");
    await inbox.count(count + 2);
    assert.match(lines.findLast((line) => line.startsWith("warn")) ?? "", advice);
  }
});

test("a server that answers empty polls at once is not asked as quickly as we can", async (t) => {
  const { server } = await startBench(t, { timing: { pollSeconds: 0 } });
  await until(() => server.callsOf("getUpdates").length >= 4, "it polls");
  const [first, ...rest] = server.callsOf("getUpdates");
  assert.ok(rest.at(-1)!.at - first!.at >= rest.length * 270);
});

test("an inbox that throws costs its message only", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  inbox.answering = () => {
    throw new Error("the inbox broke");
  };
  server.say("one");
  server.say("two");
  await inbox.count(2);
  await until(() => lines.length === 2, "both are logged");
  assert.match(lines[0]!, /warn telegram: a message could not be processed: the inbox broke/);
});

test("typing is shown while a message is dealt with, once a chat, and no longer", async (t) => {
  const { server, inbox, adapter } = await startBench(t);
  const dealt = Promise.withResolvers<void>();
  inbox.answering = () => dealt.promise;
  const topic = { chat: { id: -100, type: "supergroup", is_forum: true }, message_thread_id: 9 };
  for (let count = 0; count < 50; count++) server.say("work", topic);
  await until(() => server.callsOf("sendChatAction").length >= 3, "typing is shown again and again");
  const calls = server.callsOf("sendChatAction");
  assert.deepEqual(calls[0]?.body, { chat_id: "-100", action: "typing", message_thread_id: 9 });
  assert.ok(calls.length < 50, "the chat types once, not once a message");
  const shownIn = (chat: string) => server.callsOf("sendChatAction").filter(({ body }) => body["chat_id"] === chat);
  dealt.resolve();
  inbox.answering = () => new Promise(() => undefined);
  server.say("work elsewhere");
  await until(() => shownIn("42").length >= 1, "typing is shown elsewhere");
  const before = shownIn("-100").length;
  await until(() => shownIn("42").length >= 5, "typing is shown elsewhere, again and again");
  assert.equal(shownIn("-100").length, before);
  // A server that cannot show it, and a stop in its midst.
  server.misbehave("sendChatAction", "drop", { status: 400 });
  const more = shownIn("42").length + 3;
  await until(() => shownIn("42").length >= more, "it goes on");
  await adapter.stop();
});

test("a message that is answered at once shows no typing", async (t) => {
  const { server, inbox } = await startBench(t, { timing: { typingDelayMs: 200 } });
  server.say("quick");
  await inbox.count(1);
  inbox.answering = () => new Promise(() => undefined);
  server.say("slow", { chat: { id: 7, type: "private" } });
  await until(() => server.callsOf("sendChatAction").length > 0, "typing is shown for a later message");
  assert.deepEqual(new Set(server.callsOf("sendChatAction").map(({ body }) => body["chat_id"])), new Set(["7"]));
});

test("a connection that is dead without saying so is given up", async (t) => {
  const { server, inbox, lines } = await startBench(t, { timing: { pollSeconds: 0, pollSlackMs: 300 } });
  server.misbehave("getUpdates", "hang");
  await until(() => lines.length > 0, "the poll was given up");
  assert.match(lines[0]!, /cannot receive messages: no answer in time; retrying/);
  server.say("alive");
  await inbox.count(1);
});

const supergroup = { id: -100, type: "supergroup" };
const ada = { id: 7, is_bot: false, first_name: "Ada", last_name: "L.", username: "ada" };

test("in a group the message says who writes, and what was replied to", () => {
  const message = { message_id: 1, chat: supergroup, from: ada, text: "yes" };
  const read = (fields: object) => messageFrom({ message: { ...message, ...fields } }, BOT_NAME);
  assert.equal(read({})?.speaker, "Ada L. (@ada)");
  assert.equal(read({ from: { id: 7 } })?.speaker, "user 7");
  const bot = { id: 1, is_bot: true, first_name: "Hermes", username: BOT_NAME };
  const original = { message_id: 0, from: bot, text: "shall I?" };
  assert.deepEqual(read({ reply_to_message: original })?.reply_to, { speaker: "you", text: "shall I?" });
  const quoted = { reply_to_message: { ...original, from: { first_name: "Bob" } }, quote: { text: "I?" } };
  assert.deepEqual(read(quoted)?.reply_to, { speaker: "Bob", text: "I?" });
  assert.equal(read({ chat: { id: 7, type: "private" } })?.speaker, undefined);
});

test("what has no words is answered with a sentence in a private chat, and ignored in a group", () => {
  const kinds: readonly (readonly [object, RegExp])[] = [
    [{ voice: { file_id: "v" } }, /^I can't listen to voice messages/],
    [{ video_note: {} }, /^I can't watch videos/],
    [{ location: { latitude: 1 } }, /^I can't read locations/],
    [{ photo: [{ file_id: "p" }] }, /^Please add a caption/],
    [{ document: { mime_type: "application/pdf" } }, /^I can't open files/],
    [{ contact: {} }, /^I can't read messages of this kind/],
  ];
  for (const [fields, sentence] of kinds) {
    const read = (chat: object) => messageFrom({ message: { message_id: 1, chat, from: ada, ...fields } }, BOT_NAME);
    assert.match(read({ id: 7, type: "private" })?.unreadable ?? "", sentence);
    assert.equal(read(supergroup), null);
  }
  const chat = { id: 7, type: "private" };
  assert.equal(messageFrom({ message: { message_id: 1, chat, from: ada, sticker: {} } }, BOT_NAME), null);
  const album = { message_id: 2, chat, from: ada, photo: [{ file_id: "p" }], media_group_id: "m" };
  assert.equal(messageFrom({ message: album }, BOT_NAME), null);
  const captioned = { message_id: 3, chat, from: ada, document: {}, caption: "read this" };
  assert.match(
    messageFrom({ message: captioned }, BOT_NAME)!.text,
    /^read this\n\n\(Sent with this message: a file\. You cannot open it\.\)$/,
  );
});

test("a captioned photo brings the largest of its sizes that is not too large, before the next message", async (t) => {
  const { server, inbox } = await startBench(t);
  server.files.set("big", Buffer.from("a JPEG"));
  const photo = [{ file_id: "small" }, { file_id: "big", file_size: 5000 }, { file_id: "huge", file_size: 9_000_000 }];
  server.say("", { text: undefined, caption: "what is this?", photo });
  server.say("hello?");
  await inbox.count(2);
  assert.deepEqual(inbox.texts, ["what is this?", "hello?"]);
  const data = Buffer.from("a JPEG").toString("base64");
  assert.deepEqual(inbox.received[0]?.message.images, [{ media_type: "image/jpeg", data }]);
});

test("a photo that cannot be loaded is said to the model", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  server.say("", { text: undefined, caption: "look", photo: [{ file_id: "gone" }] });
  await inbox.count(1);
  assert.match(inbox.texts[0]!, /^look\n\n\(An image was sent with this message, but it could not be loaded\.\)$/);
  assert.match(lines.join("\n"), /an image could not be loaded: Bad Request: wrong file_id/);
});

test("a group that becomes a supergroup is followed, at its message and at the refusal", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const moves: string[][] = [];
  inbox.moved = (from, to) => void moves.push([from, to]);
  const parameters = { migrate_to_chat_id: -1001 };
  server.misbehave("sendMessage", { status: 400, description: "group chat was upgraded", parameters });
  await adapter.send("-1", "hello");
  await adapter.send("-1", "again");
  assert.deepEqual(server.textsOf(-1001), ["hello", "again"]);
  assert.equal(server.callsOf("sendMessage").length, 3);
  server.push({ message: { message_id: 9, chat: { id: -2, type: "group" }, migrate_to_chat_id: -1002 } });
  await until(() => moves.length === 2, "the move is known");
  assert.deepEqual(moves, [
    ["-1", "-1001"],
    ["-2", "-1002"],
  ]);
});
