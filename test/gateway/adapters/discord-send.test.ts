/** `discord`: sending, in pieces, through limits and failures; messages that grow; the list of commands. */
import test from "node:test";
import assert from "node:assert/strict";
import { formatPieces } from "#gateway/adapters/discord/style";
import { ADA, directChannel, GENERAL_ID } from "../../helpers/discord-shapes.ts";
import { until } from "../../helpers/poll.ts";
import { startBench } from "./discord-bench.ts";

const CHAT = directChannel(ADA);
const HERE = { chat_id: CHAT, thread_id: null };
const POST = "POST /channels/:id/messages";
const PATCH = "PATCH /channels/:id/messages/:id";
const PUT = "PUT /applications/:id/commands";

test("an answer goes to its channel or thread, and nobody is notified by it", async (t) => {
  const { server, adapter } = await startBench(t);
  const thread = server.addThread();
  await adapter.send(GENERAL_ID, "@everyone **look**");
  await adapter.send(GENERAL_ID, "in the thread", { thread_id: thread.id });
  assert.deepEqual(server.textsIn(GENERAL_ID), ["@everyone **look**"]);
  assert.deepEqual(server.textsIn(thread.id), ["in the thread"]);
  for (const { body } of server.callsOf(POST)) assert.deepEqual(body["allowed_mentions"], { parse: [] });
});

test("a user's id as the chat means their direct channel", async (t) => {
  const { server, adapter } = await startBench(t);
  await adapter.send(ADA.id, "hello");
  await adapter.send(ADA.id, "again");
  assert.deepEqual(server.textsIn(CHAT), ["hello", "again"]);
  assert.equal(server.callsOf("POST /users/@me/channels").length, 1);
});

test("long texts go in pieces, in order, code blocks whole; nothing goes for nothing", async (t) => {
  const { server, adapter } = await startBench(t);
  const lines = Array.from({ length: 400 }, (_, index) => `line ${index} of a long answer`);
  const code = `\`\`\`ts\n${"const x = 1;\n".repeat(60)}\`\`\``;
  await Promise.all([adapter.send(CHAT, `${lines.join("\n")}\n\n${code}`), adapter.send(CHAT, "the next answer")]);
  await adapter.send(CHAT, " \n ");
  const texts = server.textsIn(CHAT);
  assert.equal(texts.at(-1), "the next answer");
  assert.ok(texts.length >= 6 && texts.every((text) => text.length <= 2000));
  assert.ok(
    texts.some((text) => text.includes(code)),
    "the block is whole",
  );
});

test("tables become text in a code block, other Markdown stays", () => {
  const [piece] = formatPieces("# Title\n\n| a | b |\n|---|---|\n| 1 | 22 |\n\n**bold** [link](https://a.b)");
  assert.equal(piece, "# Title\n\n```\na  b\n-  --\n1  22\n```\n\n**bold** [link](https://a.b)");
});

test("429 with a time is obeyed, with and without a body, and the message sent once", async (t) => {
  const { server, adapter } = await startBench(t);
  const headers = { "retry-after": "0.3" };
  const body = { message: "You are being rate limited.", retry_after: 0.3, global: false };
  for (const answer of [
    { status: 429, headers, body },
    { status: 429, headers },
    { status: 429, headers, body: "<p>" },
  ]) {
    const before = server.callsOf(POST).length;
    server.misbehave(POST, answer);
    await adapter.send(CHAT, "patience");
    const [limited, sent, ...more] = server.callsOf(POST).slice(before);
    assert.ok(sent!.at - limited!.at >= 285, `${sent!.at - limited!.at} ms`);
    assert.equal(more.length, 0);
  }
  assert.equal(server.textsIn(CHAT).length, 3);
});

test("429 without any time is retried with growing pauses, not at once again and again", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { retryMs: 50 } });
  server.misbehave(POST, { status: 429 }, { status: 429, body: { message: "no", retry_after: 1 } });
  await adapter.send(CHAT, "patience");
  const calls = server.callsOf(POST);
  assert.deepEqual([calls.length, server.textsIn(CHAT)], [3, ["patience"]]);
  assert.ok(calls[1]!.at - calls[0]!.at >= 45 && calls[2]!.at - calls[1]!.at >= 90);
});

test("a long pause is left to the outbox, and nothing is sent to the channel meanwhile", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { budgetMs: 200 } });
  server.misbehave(POST, { status: 429, headers: { "retry-after": "600", "x-ratelimit-scope": "user" } });
  for (let count = 0; count < 3; count++) {
    await assert.rejects(
      adapter.send(CHAT, "later"),
      (error: { code?: string; permanent?: boolean; message: string }) => {
        assert.deepEqual([error.code, error.permanent], ["HERMES_ADAPTER_SEND", undefined]);
        assert.match(error.message, /too many calls/);
        return true;
      },
    );
  }
  await adapter.send(GENERAL_ID, "another channel");
  assert.deepEqual([server.callsOf(POST).length, server.textsIn(GENERAL_ID)], [2, ["another channel"]]);
});

test("Discord's own limit of messages to a channel is kept without a single 429", async (t) => {
  const { server, adapter } = await startBench(t);
  server.limit = { calls: 5, ms: 300 };
  let refused = 0;
  await Promise.all(Array.from({ length: 12 }, (_, count) => adapter.send(CHAT, `message ${count}`)));
  refused = server.callsOf(POST).length - server.textsIn(CHAT).length;
  assert.equal(refused, 0);
  assert.deepEqual(
    server.textsIn(CHAT),
    Array.from({ length: 12 }, (_, count) => `message ${count}`),
  );
});

test("an answer that is lost on the way is sent again, and Discord keeps one", async (t) => {
  const { server, adapter } = await startBench(t);
  server.misbehave(POST, "drop after", "drop", { status: 502, body: "<html>" });
  await adapter.send(CHAT, "once");
  assert.deepEqual(server.textsIn(CHAT), ["once"]);
  await adapter.send(CHAT, "once");
  assert.deepEqual(server.textsIn(CHAT), ["once", "once"], "a later one with the same text is another");
});

test("refusals that stay are permanent, and a missing permission is named once", async (t) => {
  const { server, adapter, warnings } = await startBench(t);
  const refusals = [
    [{ status: 403, body: { message: "Missing Permissions", code: 50_013 } }, /Missing Permissions \(50013\)/],
    [{ status: 403, body: { message: "Missing Permissions", code: 50_013 } }, /Missing Permissions \(50013\)/],
    [{ status: 403, body: { message: "Cannot send messages to this user", code: 50_007 } }, /does not accept direct/],
    [{ status: 404, body: { message: "Unknown Channel", code: 10_003 } }, /Unknown Channel \(10003\)/],
    [{ status: 400, body: { message: "Invalid Form Body", code: 50_035 } }, /Invalid Form Body \(50035\)/],
  ] as const;
  for (const [answer, message] of refusals) {
    server.misbehave(POST, answer);
    await assert.rejects(adapter.send(GENERAL_ID, "x"), { code: "HERMES_ADAPTER_SEND", permanent: true, message });
  }
  assert.deepEqual(warnings, [
    `discord: the bot may not write to the channel ${GENERAL_ID}: Missing Permissions (50013). ` +
      "Give it the permissions Send Messages and Send Messages in Threads there.",
  ]);
  await assert.rejects(adapter.send("#general", "x"), { permanent: true, message: /"#general" is not the id/ });
  assert.equal(server.textsIn(GENERAL_ID).length, 0);
});

test("a refusal that is not Discord's own is no permanent one", async (t) => {
  const { server, adapter } = await startBench(t);
  for (const status of [403, 404, 400]) {
    server.misbehave(POST, { status, body: "<html>Access denied</html>" });
    await assert.rejects(adapter.send(CHAT, "x"), (error: { code?: string; permanent?: boolean }) => {
      assert.deepEqual([error.code, error.permanent], ["HERMES_ADAPTER_SEND", undefined]);
      return true;
    });
  }
});

test("a revoked token is no permanent refusal, and works again when Discord takes it", async (t) => {
  const { server, adapter } = await startBench(t);
  const { token } = server;
  server.token = "another";
  await assert.rejects(adapter.send(CHAT, "x"), (error: { permanent?: boolean }) => error.permanent === undefined);
  await assert.rejects(adapter.send(CHAT, "x"), { message: /401/ });
  server.token = token;
  await adapter.send(CHAT, "x");
  assert.deepEqual(server.textsIn(CHAT), ["x"]);
});

test("a draft grows by edits and becomes the answer; one that is discarded is deleted", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("The");
  await until(() => server.textsIn(CHAT)[0] === "The", "it is shown");
  draft.update("The answer");
  await until(() => server.textsIn(CHAT)[0] === "The answer", "it grows");
  for (const { body } of server.callsOf(PATCH)) assert.deepEqual(body["allowed_mentions"], { parse: [] });
  await draft.finish(`The answer is this.\n${"x".repeat(2500)}`);
  const texts = server.textsIn(CHAT);
  assert.deepEqual([texts.length, texts[0]!.startsWith("The answer is this.")], [2, true]);
  const gone = adapter.draft(HERE);
  gone.update("half");
  await until(() => server.textsIn(CHAT).length === 3, "it is shown");
  await gone.discard();
  await until(() => server.textsIn(CHAT).length === 2, "it is deleted");
});

test("a draft that its reader deleted becomes a new message", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft(HERE);
  draft.update("half");
  await until(() => server.textsIn(CHAT).length === 1, "it is shown");
  server.messages.delete(server.answersIn(CHAT)[0]!.id);
  await draft.finish("whole");
  assert.deepEqual(server.textsIn(CHAT), ["whole"]);
});

test("the commands are registered once, and again when they differ", async (t) => {
  const commands = [
    { name: "new", summary: "start a new session" },
    { name: "model", usage: "[ID]", summary: "x".repeat(300) },
    { name: "Upper", summary: "not a name for Discord" },
    { name: "with space", summary: "not a name for Discord" },
    { name: "y".repeat(33), summary: "not a name for Discord" },
    { name: "bare", summary: "" },
  ];
  const { server, adapter, inbox } = await startBench(t, { commands: () => commands });
  await until(() => server.commands.length === 3, "they are registered");
  assert.deepEqual(
    server.commands.map(({ name, options }) => [name, (options as unknown[]).length]),
    [
      ["new", 0],
      ["model", 1],
      ["bare", 0],
    ],
  );
  await adapter.stop();
  await adapter.start(inbox);
  await until(() => server.callsOf("GET /applications/:id/commands").length === 2, "they are compared");
  commands.pop();
  await adapter.stop();
  await adapter.start(inbox);
  await until(() => server.commands.length === 2, "they are registered again");
  assert.equal(server.callsOf(PUT).length, 2);
});

test("commands that cannot be registered are logged, and the bot works without", async (t) => {
  const { server, adapter, inbox, lines } = await startBench(t);
  await adapter.stop();
  server.commands = [];
  server.misbehave(PUT, { status: 403, body: { message: "Missing Access", code: 50_001 } });
  await adapter.start(inbox);
  await until(() => lines.some((line) => line.includes("could not be registered")), "it is logged");
  server.say("hello");
  await inbox.count(1);
});

test("a stop waits for what is being sent; then nothing can be sent", async (t) => {
  const { server, adapter } = await startBench(t);
  const sent = adapter.send(CHAT, "on its way");
  await adapter.stop();
  await sent;
  assert.deepEqual(server.textsIn(CHAT), ["on its way"]);
  await assert.rejects(adapter.send(CHAT, "x"), { code: "HERMES_ADAPTER_SEND" });
});
