/** What adapters may do wrong, and a lot at once: nothing throws, nothing is lost, nothing comes twice. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import type { InboundMessage, Reply } from "#core/ports/platform";
import { createBench } from "../helpers/agent-bench.ts";
import { createGatewayBench } from "../helpers/gateway-bench.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";

const hostile = Object.defineProperty({}, "text", {
  get() {
    throw new Error("no text for you");
  },
});

test("an invalid message does no harm, and the caller gets the reason", async (t) => {
  const { adapter, logged } = await createGatewayBench(t);
  const { source } = adapter.message("x");
  const garbage: unknown[] = [
    undefined,
    null,
    "hello",
    {},
    { text: "hello" },
    { text: 5, source },
    { text: "hello", source: "telegram" },
    { text: "hello", source: { ...source, chat_id: undefined } },
    { text: "hello", source: { ...source, chat_id: {} } },
    { text: "hello", source: { ...source, chat_type: null } },
    { text: "hello", source: { ...source, user_id: Symbol("7") } },
    { text: "hello", source: { ...source, chat_id: "x".repeat(2000) } },
    { text: "hello", source, message_id: [] },
    hostile,
  ];
  for (const message of garbage) await adapter.inbox.receive(message as InboundMessage);
  const refused = logged.filter((line) => line.startsWith("a platform passed an invalid message"));
  assert.equal(refused.length, garbage.length);
  assert.deepEqual(adapter.sent, []);
  for (const message of garbage.slice(0, 7)) {
    const answers: unknown[] = [];
    await adapter.inbox.receive(message as InboundMessage, { onEnd: (answer) => void answers.push(answer) });
    assert.equal((answers as { problem: { code: string } }[])[0]?.problem.code, "HERMES_MESSAGE_INVALID");
    assert.equal(answers.length, 1);
  }
});

test("ids that are numbers are ids", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, { settings: { allowed_users: ["7"] } });
  const source = { platform: "memory", chat_type: "dm", chat_id: 12, user_id: 7n, thread_id: undefined };
  await adapter.inbox.receive({ text: "hello", source } as unknown as InboundMessage);
  assert.equal(adapter.sent[0]!.chat_id, "12");
  assert.ok(agent.sessions.byKey("agent:main:memory:dm:12"));
});

test("replies that throw, hang on to nothing or are none at all", async (t) => {
  const { adapter } = await createGatewayBench(t);
  const boom = () => {
    throw new Error("boom");
  };
  const replies: unknown[] = [
    { onFrame: boom, onEnd: boom },
    {},
    { onEnd: 5 },
    { onEnd: boom, signal: "no signal" },
    { onEnd: boom, history: "no history" },
    { onEnd: boom, history: [{ role: "king" }] },
    Object.defineProperty({}, "history", { get: boom }),
    null,
  ];
  for (const reply of replies) await adapter.inbox.receive(adapter.message("hello"), reply as Reply);
  assert.equal(adapter.sent.length, 1);
});

test("drafts that throw anywhere cost nothing but the draft", async (t) => {
  const boom = () => {
    throw new Error("boom");
  };
  const drafts: unknown[] = [
    boom,
    () => ({}),
    () => null,
    () => ({ update: boom, finish: async () => boom(), discard: async () => boom() }),
    () => ({ update: () => undefined, finish: boom, discard: boom }),
  ];
  for (const draft of drafts) {
    const adapter = Object.assign(new MemoryAdapter(), { draft });
    await createGatewayBench(t, { adapters: [adapter as MemoryAdapter] });
    await adapter.receive("hello");
    assert.equal(adapter.textsOf("1").length, 1);
  }
});

test("a text over 1 MiB is refused with a sentence; one just below is a message; no hook sees the long one", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  let seen = 0;
  agent.hook("pre_gateway_dispatch", () => void seen++);
  const limit = 1024 * 1024;
  await adapter.receive("é".repeat(limit / 2 + 1));
  assert.equal(adapter.textsOf("1")[0], "The message was rejected: it is longer than 1 MiB.");
  const { problem } = await adapter.ask("x".repeat(limit + 1));
  assert.equal(problem?.code, "HERMES_MESSAGE_INVALID");
  assert.equal(seen, 0);
  const { text } = await adapter.ask("é".repeat(limit / 2));
  assert.ok(text!.startsWith("éé"));
  await adapter.receive(`/${"x".repeat(10_000_000)}`);
  assert.equal(adapter.sent.length, 2);
});

test("a long text of a stranger is not answered in a group", async (t) => {
  const { adapter } = await createGatewayBench(t, { settings: {} });
  await adapter.receive("x".repeat(300_000), { chat_type: "group" });
  assert.deepEqual(adapter.sent, []);
});

test("an empty text is not answered, unless a hook gives it one", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  await adapter.receive("  \n");
  assert.equal(adapter.sent.length, 0);
  assert.equal((await adapter.ask("")).problem?.code, "HERMES_MESSAGE_INVALID");
  agent.hook("pre_gateway_dispatch", () => ({ action: "rewrite", text: "a photo of a cat" }));
  assert.match((await adapter.ask("")).text!, /^a photo of a cat/);
});

test("the same message twice is one message, at once, one after the other, and after a restart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "state.db");
  const first = await createGatewayBench(t, { database: openDatabase(file) });
  const twice = { message_id: "5" };
  await Promise.all([first.adapter.receive("hello", twice), first.adapter.receive("hello", twice)]);
  await first.adapter.receive("hello", twice);
  assert.equal(first.adapter.sent.length, 1);
  assert.equal((await first.adapter.ask("hello", twice)).problem?.code, "HERMES_MESSAGE_REPEATED");
  await first.gateway.drain(1000);
  first.database.close();
  const second = await createGatewayBench(t, { database: openDatabase(file) });
  await second.adapter.receive("hello", twice);
  assert.equal(second.adapter.sent.length, 0);
});

test("a message is the gateway's once its hooks have run: a crash before that loses nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-received-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "state.db");
  const first = await createGatewayBench(t, { database: openDatabase(file) });
  const [running, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  first.agent.hook("pre_gateway_dispatch", async () => {
    running.resolve();
    await go.promise;
  });
  const twice = { message_id: "5" };
  const received = first.adapter.receive("hello", twice);
  await running.promise;
  await first.adapter.receive("hello", twice);
  assert.equal(first.adapter.sent.length, 0);
  // What another process finds after a kill.
  const second = await createGatewayBench(t, { database: openDatabase(file) });
  await second.adapter.receive("hello", twice);
  assert.equal(second.adapter.sent.length, 1);
  go.resolve();
  await received;
  assert.equal((await first.adapter.ask("hello", twice)).problem?.code, "HERMES_MESSAGE_REPEATED");
});

test("one id on two platforms, without an id, or from the program itself: all are messages", async (t) => {
  const other = new MemoryAdapter({ name: "other" });
  const { adapter } = await createGatewayBench(t, { adapters: [new MemoryAdapter(), other] });
  await adapter.receive("one", { message_id: "5" });
  await adapter.receive("two", { message_id: "5", chat_id: "2" });
  assert.equal(adapter.sent.length, 1);
  await other.receive("three", { message_id: "5" });
  await adapter.receive("four", { message_id: "" });
  await adapter.receive("five", { message_id: "" });
  await adapter.receive("six", { message_id: "5", internal: true });
  assert.equal(adapter.sent.length + other.sent.length, 5);
});

test("old received messages are forgotten, and there are never too many", async (t) => {
  const bench = await createGatewayBench(t, { start: false });
  const insert = bench.database.prepare("INSERT INTO inbound_messages VALUES ('memory', ?, ?)");
  const now = Date.now();
  bench.database.exec("BEGIN");
  for (let index = 0; index < 50_100; index++) insert.run(`m${index}`, new Date(now - index).toISOString());
  insert.run("old", new Date(now - 8 * 86_400_000).toISOString());
  bench.database.exec("COMMIT");
  await bench.gateway.start([bench.adapter]);
  await bench.adapter.receive("hello");
  const { n } = bench.database.prepare("SELECT count(*) AS n FROM inbound_messages").get() as { n: number };
  assert.ok(n <= 50_002, String(n));
});

test("while state.db is read-only, messages are answered, and a duplicate only once", async (t) => {
  const { adapter, database } = await createGatewayBench(t);
  database.exec("DROP TABLE inbound_messages");
  await adapter.receive("hello", { message_id: "5" });
  await adapter.receive("hello", { message_id: "5" });
  assert.equal(adapter.sent.length, 1);
});

test("100 messages at once, each delivered twice, in 10 chats: each is answered once, in the order of its chat", async (t) => {
  const { adapter, gateway, database } = await createGatewayBench(t, {
    settings: { allowed_users: ["*"], busy: "queue" },
  });
  const messages = Array.from({ length: 100 }, (_, index) => {
    const chat_id = String(index % 10);
    return adapter.message(`number ${index}`, { chat_id, message_id: `m${index}` });
  });
  await Promise.all([...messages, ...messages].map((message) => adapter.inbox.receive(message)));
  for (let chat = 0; chat < 10; chat++) {
    const numbers = adapter.textsOf(String(chat)).map((text) => Number(/^number (\d+)/.exec(text)?.[1]));
    assert.deepEqual(
      numbers,
      Array.from({ length: 10 }, (_, index) => index * 10 + chat),
    );
  }
  assert.equal(gateway.active(), 0);
  assert.equal(database.prepare("SELECT count(*) AS n FROM outbox WHERE sent_at IS NULL").get()!["n"], 0);
});

test("a runner that rejects fails the turn, and the conversation continues", async (t) => {
  let fails = true;
  const { runner } = createBench();
  const bench = await createGatewayBench(t, {
    deps: {
      runner: {
        ...runner,
        turn: (request) => (fails ? Promise.reject(new Error("inner secret")) : bench.agent.runner.turn(request)),
      },
    },
  });
  await bench.adapter.receive("hello");
  assert.equal(
    bench.adapter.sent[0]!.text,
    "Something went wrong with this message. The gateway's log has the reason.",
  );
  fails = false;
  assert.match((await bench.adapter.ask("hello")).text!, /^hello/);
});
