/** `telegram`: sending, in pieces, through failures; messages that grow. */
import test from "node:test";
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { TelegramAdapter } from "#gateway/adapters/telegram/adapter";
import { BOT_NAME, type TelegramServer } from "../../helpers/telegram-server.ts";
import { startBench } from "./telegram-bench.ts";
import { until } from "../../helpers/poll.ts";

const HERE = { chat_id: "42", thread_id: null };

/** Lets a draft in another chat be shown and edited: what an earlier draft had to show has been shown by then. */
async function showAnother(server: TelegramServer, adapter: TelegramAdapter): Promise<void> {
  const draft = adapter.draft({ chat_id: "7", thread_id: null });
  draft.update("another");
  await until(() => server.textsOf(7).length === 1, "the other draft is there");
  draft.update("another one");
  await until(() => server.textsOf(7)[0] === "another one", "the other draft is edited");
}

const chatsOf = (server: TelegramServer, method: string) => server.callsOf(method).map(({ body }) => body["chat_id"]);

test("an answer goes to its chat and thread, as plain text", async (t) => {
  const { server, adapter } = await startBench(t);
  await adapter.send("-100", "*not bold* <b>", { thread_id: "9" });
  await adapter.send("-100", "in the open");
  assert.deepEqual(
    server.callsOf("sendMessage").map(({ body }) => body),
    [
      { chat_id: "-100", text: "*not bold* <b>", message_thread_id: 9 },
      { chat_id: "-100", text: "in the open" },
    ],
  );
});

test("long texts go in pieces, in order; nothing goes for nothing", async (t) => {
  const { server, adapter } = await startBench(t);
  const lines = Array.from({ length: 900 }, (_, index) => `line ${index} of a long answer`);
  await Promise.all([adapter.send("42", lines.join("\n")), adapter.send("42", "the next answer")]);
  await adapter.send("42", " \n ");
  const texts = server.textsOf(42);
  assert.equal(texts.at(-1), "the next answer");
  assert.deepEqual(texts.slice(0, -1).join("\n").split("\n"), lines);
  assert.ok(texts.length >= 5 && texts.every((text) => text.length <= 4096));
});

test("429 is obeyed and the message sent once", async (t) => {
  const { server, adapter } = await startBench(t);
  server.misbehave("sendMessage", { status: 429, description: "Too Many Requests", parameters: { retry_after: 0.3 } });
  await adapter.send("42", "slowly");
  const [first, second] = server.callsOf("sendMessage");
  assert.ok(second!.at - first!.at >= 285, `${second!.at - first!.at} ms`);
  assert.deepEqual(server.textsOf(42), ["slowly"]);
});

test("a 429 with too long a wait is returned as a temporary failure", async (t) => {
  const { server, adapter } = await startBench(t);
  server.misbehave("sendMessage", { status: 429, description: "Too Many Requests", parameters: { retry_after: 3600 } });
  await assert.rejects(adapter.send("42", "x"), (error: Error & { permanent?: boolean }) => {
    assert.match(error.message, /telegram did not accept the message: Too Many Requests \(429\)/);
    return error.permanent === undefined;
  });
});

test("a connection that drops and a server that is ill are tried again, a bounded number of times", async (t) => {
  const { server, adapter } = await startBench(t);
  server.misbehave("sendMessage", "drop", { status: 502, description: "Bad Gateway" }, "html");
  await adapter.send("42", "through it all");
  assert.deepEqual(server.textsOf(42), ["through it all"]);
  const before = server.callsOf("sendMessage").length;
  server.misbehave("sendMessage", "drop", "drop", "drop", "drop", "drop", "drop");
  await assert.rejects(adapter.send("42", "never"), { code: "HERMES_ADAPTER_SEND" });
  assert.equal(server.callsOf("sendMessage").length - before, 4);
});

test("a deleted chat is a permanent failure at once", async (t) => {
  const { server, adapter } = await startBench(t);
  for (const refusal of [
    { status: 403, description: "Forbidden: bot was blocked by the user" },
    { status: 400, description: "Bad Request: chat not found" },
  ]) {
    const before = server.callsOf("sendMessage").length;
    server.misbehave("sendMessage", refusal);
    await assert.rejects(adapter.send("42", "x"), (error: Error & { permanent?: boolean }) => {
      assert.ok(error.message.includes(refusal.description));
      return error.permanent === true;
    });
    assert.equal(server.callsOf("sendMessage").length - before, 1);
  }
});

test("a long text whose end failed continues where it stopped", async (t) => {
  const { server, adapter } = await startBench(t);
  const text = `${"a".repeat(4096)}${"b".repeat(4096)}${"c".repeat(10)}`;
  server.misbehave("sendMessage", "serve", "drop", "drop", "drop", "drop");
  await assert.rejects(adapter.send("42", text), { code: "HERMES_ADAPTER_SEND" });
  assert.equal(server.messages.size, 1);
  await adapter.send("42", text);
  const pieces = [
    ["a", 4096],
    ["b", 4096],
    ["c", 10],
  ];
  const sent = () => server.textsOf(42).map((piece) => [piece[0], piece.length]);
  assert.deepEqual(sent(), pieces);
  // A text that went is a new one when it comes again.
  await adapter.send("42", text);
  assert.deepEqual(sent(), [...pieces, ...pieces]);
});

test("chats do not wait for each other", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { stopMs: 100 } });
  server.misbehave("sendMessage", { status: 429, parameters: { retry_after: 30 } });
  const slow = adapter.send("1", "slow");
  await until(() => server.callsOf("sendMessage").length === 1, "the slow one was tried");
  await adapter.send("2", "quick");
  assert.deepEqual(server.textsOf(2), ["quick"]);
  // A stop does not wait half a minute for it.
  await adapter.stop();
  await assert.rejects(slow, { code: "HERMES_ADAPTER_SEND" });
});

test("a draft grows in one message, not at every word, and ends as the answer", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { editMs: 60 } });
  const draft = adapter.draft({ chat_id: "-100", thread_id: "9" });
  let text = "";
  let words = 0;
  const grow = () => {
    text = `${++words} words`;
    draft.update(text);
  };
  while (!t.signal.aborted && server.callsOf("editMessageText").length < 3) {
    grow();
    await turn();
  }
  grow();
  await draft.finish(text);
  assert.deepEqual(server.textsOf(-100), [text]);
  assert.equal(server.callsOf("sendMessage").length, 1);
  assert.equal(server.callsOf("sendMessage")[0]?.body["message_thread_id"], 9);
  const edits = server.callsOf("editMessageText");
  assert.ok(edits.length * 10 < words, `${edits.length} edits for ${words} words`);
  // The last edit is the answer, which waits for nothing.
  const at = edits.slice(0, -1).map((call) => call.at);
  for (const [index, moment] of at.slice(1).entries()) {
    assert.ok(moment - at[index]! >= 50, "edits keep their distance");
  }
});

test("text that stays the same is not sent again", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("");
  draft.update("  ");
  draft.update("the answer");
  await until(() => server.messages.size === 1, "the draft is there");
  draft.update("the answer");
  await showAnother(server, adapter);
  await draft.finish("the answer");
  assert.deepEqual(chatsOf(server, "editMessageText"), ["7"]);
  assert.deepEqual(server.textsOf(42), ["the answer"]);
});

test("a draft longer than a message shows its first piece; the rest follows at the end", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  const text = `${"a".repeat(4096)}${"b".repeat(4096)}${"c".repeat(100)}`;
  draft.update(text.slice(0, 5000));
  await until(() => server.messages.size === 1, "the draft is there");
  assert.equal(server.textsOf(42)[0], "a".repeat(4096));
  await draft.finish(text);
  assert.deepEqual(server.textsOf(42), ["a".repeat(4096), "b".repeat(4096), "c".repeat(100)]);
});

test("the answer of a draft without words is a message; no answer takes the draft away", async (t) => {
  const { server, adapter } = await startBench(t);
  await adapter.draft(HERE).finish("at once");
  assert.deepEqual(server.textsOf(42), ["at once"]);
  await adapter.draft(HERE).discard();
  const draft = adapter.draft(HERE);
  draft.update("half an ans");
  await until(() => server.messages.size === 2, "the draft is there");
  await draft.discard();
  draft.update("words that come too late");
  await until(() => server.messages.size === 1, "the draft is gone");
  assert.deepEqual(server.textsOf(42), ["at once"]);
  const other = adapter.draft(HERE);
  other.update("nothing after all");
  await until(() => server.messages.size === 2, "the draft is there");
  await other.finish("");
  await until(() => server.messages.size === 1, "the draft is gone");
  assert.deepEqual(server.textsOf(42), ["at once"]);
});

test("no answer waits for the draft of an earlier message to be deleted", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { tidyCallMs: 200 } });
  for (const way of ["hang", { status: 429, parameters: { retry_after: 0.3 } }] as const) {
    const draft = adapter.draft(HERE);
    draft.update("half an ans");
    await until(() => server.textsOf(42).includes("half an ans"), "the draft is there");
    const before = server.callsOf("deleteMessage").length;
    server.misbehave("deleteMessage", way);
    await draft.discard();
    await adapter.send("42", "the next answer");
    assert.ok(server.textsOf(42).includes("half an ans"), "the draft is still there");
    await until(() => !server.textsOf(42).includes("half an ans"), "the draft is deleted later");
    const [first, second] = server.callsOf("deleteMessage").slice(before);
    assert.ok(second!.at - first!.at >= 190, "after the deadline, or the pause that Telegram asked for");
  }
});

test("an answer does not wait for an edit of its draft that hangs", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { settleMs: 20, tidyCallMs: 100_000 } });
  const draft = adapter.draft(HERE);
  draft.update("one");
  await until(() => server.messages.size === 1, "the draft is there");
  server.misbehave("editMessageText", "hang");
  draft.update("one two");
  await until(() => server.callsOf("editMessageText").length === 1, "the edit hangs");
  await draft.finish("one two three");
  assert.deepEqual(server.textsOf(42), ["one two three"]);
});

test("a draft shows nothing new while Telegram asks for a pause in its chat, and the answer goes at once", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { stopMs: 50 } });
  const first = adapter.draft(HERE);
  first.update("half an ans");
  await until(() => server.messages.size === 1, "the draft is there");
  server.misbehave("deleteMessage", { status: 429, parameters: { retry_after: 60 } });
  await first.discard();
  await until(() => server.callsOf("deleteMessage").length === 1, "Telegram asks for a pause");
  await showAnother(server, adapter);
  const second = adapter.draft(HERE);
  second.update("the next");
  await showAnother(server, adapter);
  await second.finish("the next answer");
  assert.deepEqual(server.textsOf(42), ["half an ans", "the next answer"]);
  assert.equal(server.callsOf("sendMessage").filter(({ body }) => body["chat_id"] === "42").length, 2);
});

test("while a hook may change the answer, a draft shows nothing", async (t) => {
  let streaming = false;
  const { server, adapter } = await startBench(t, { streaming: () => streaming });
  const draft = adapter.draft(HERE);
  draft.update("the secret is 42");
  streaming = true;
  await showAnother(server, adapter);
  assert.deepEqual(chatsOf(server, "sendMessage"), ["7"]);
  await draft.finish("the secret is ***");
  assert.deepEqual(server.textsOf(42), ["the secret is ***"]);
});

test("edits obey retry_after, and the answer is there in the end", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("one");
  await until(() => server.messages.size === 1, "the draft is there");
  server.misbehave("editMessageText", { status: 429, parameters: { retry_after: 0.3 } });
  draft.update("one two");
  await until(() => server.callsOf("editMessageText").length === 1, "the edit was refused");
  draft.update("one two three");
  await until(() => server.textsOf(42)[0] === "one two three", "the edit came after the wait");
  const [refused, taken] = server.callsOf("editMessageText");
  assert.ok(taken!.at - refused!.at >= 285);
  server.misbehave("editMessageText", "drop", { status: 500 });
  await draft.finish("one two three four");
  assert.deepEqual(server.textsOf(42), ["one two three four"]);
});

test("if the user deleted the draft, the answer is a new message", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("half an ans");
  await until(() => server.messages.size === 1, "the draft is there");
  server.messages.clear();
  draft.update("half an answer");
  await until(() => server.callsOf("editMessageText").length === 1, "the edit was refused");
  await draft.finish("the whole answer");
  assert.deepEqual(server.textsOf(42), ["the whole answer"]);
});

test("a final edit that Telegram took although the connection dropped is done", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("half");
  await until(() => server.messages.size === 1, "the draft is there");
  server.misbehave("editMessageText", "drop after");
  await draft.finish("the whole");
  assert.deepEqual(server.textsOf(42), ["the whole"]);
});

test("a first message whose answer was lost does not come a third time", async (t) => {
  const { server, adapter } = await startBench(t);
  server.misbehave("sendMessage", "drop after");
  const draft = adapter.draft(HERE);
  draft.update("half");
  await until(() => server.callsOf("sendMessage").length === 1, "it was tried");
  draft.update("half an ans");
  await showAnother(server, adapter);
  assert.deepEqual(chatsOf(server, "sendMessage"), ["42", "7"]);
  await draft.finish("the whole");
  assert.equal(server.textsOf(42).at(-1), "the whole");
  assert.equal(server.textsOf(42).length, 2);
});

test("a draft that cannot be finished says so", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("half");
  await until(() => server.messages.size === 1, "the draft is there");
  const blocked = { status: 403, description: `Forbidden: ${BOT_NAME} was blocked` };
  server.misbehave("editMessageText", blocked);
  server.misbehave("sendMessage", blocked);
  await assert.rejects(draft.finish("the whole"), { code: "HERMES_ADAPTER_SEND", permanent: true });
});
