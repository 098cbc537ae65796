/** A message's way to its answer: turns, sessions, drafts, hooks. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import type { Outbox } from "#gateway/outbox";
import { createChatRecipient } from "#gateway/recipient";
import { createGatewayBench, record } from "../helpers/gateway-bench.ts";
import { noteLog } from "../helpers/inbox.ts";
import { makeHook } from "../helpers/hooks.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";
import { startModelServer } from "../helpers/model-server.ts";
import { until } from "../helpers/poll.ts";

test("a message is answered in its chat, and the next one continues the same session", async (t) => {
  const { adapter, gateway, agent } = await createGatewayBench(t);
  await adapter.receive("hello");
  await adapter.receive("again");
  assert.match(adapter.sent[0]!.text, /^hello\n\n\(This is the offline model/);
  assert.deepEqual(adapter.sent[1], { chat_id: "1", text: "again", thread_id: null });
  const session = agent.sessions.byKey("agent:main:memory:dm:1")!;
  assert.deepEqual([session.platform, session.source, session.message_count], ["memory", "gateway", 4]);
  assert.equal(gateway.active(), 0);
});

test("answers go to the thread and the user that asked", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  await Promise.all([
    adapter.receive("one", { chat_type: "group", chat_id: "g", user_id: "1" }),
    adapter.receive("two", { chat_type: "group", chat_id: "g", user_id: "2" }),
    adapter.receive("three", { chat_type: "group", chat_id: "g", user_id: "2", thread_id: "t" }),
  ]);
  const thread = adapter.sent.find(({ text }) => text.startsWith("three"));
  assert.equal(thread?.thread_id, "t");
  assert.equal(adapter.sent.length, 3);
  assert.equal(agent.sessions.list({}).filter(({ key }) => key?.startsWith("agent:main:memory:")).length, 3);
});

test("a caller gets the frames, the session's first, and the answer; nothing goes through the outbox", async (t) => {
  const { adapter, database } = await createGatewayBench(t);
  const first = await adapter.ask("hello");
  const second = await adapter.ask("again");
  assert.match(first.text!, /^hello/);
  assert.equal(first.problem, null);
  const { session_id } = first.frames[0]!;
  assert.deepEqual(first.frames[0], {
    type: "session",
    session_id,
    model: "offline",
    platform: "memory",
    resumed: false,
  });
  assert.deepEqual(second.frames[0], { ...first.frames[0], resumed: true });
  assert.equal(first.frames.at(-1)?.type, "result");
  assert.ok(first.frames.some(({ type }) => type === "text"));
  assert.deepEqual(adapter.sent, []);
  assert.equal(database.prepare("SELECT count(*) AS n FROM outbox").get()!["n"], 0);
});

test("a session is found again after a restart, and says that it was resumed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "state.db");
  const first = await createGatewayBench(t, { database: openDatabase(file) });
  const before = await first.adapter.ask("hello");
  await first.gateway.drain(1000);
  first.database.close();
  const second = await createGatewayBench(t, { database: openDatabase(file) });
  const after = await second.adapter.ask("again");
  assert.equal(after.frames[0]!.session_id, before.frames[0]!.session_id);
  assert.equal((after.frames[0] as { resumed?: boolean }).resumed, true);
  assert.equal(second.agent.sessions.history(after.frames[0]!.session_id).length, 4);
});

test("events of a first and a second message, in their order", async (t) => {
  const bench = await createGatewayBench(t);
  record(
    bench,
    ["pre_gateway_dispatch", "on_session_start", "pre_llm_call", "post_llm_call", "on_session_end"],
    ["session:start", "agent:start", "agent:step", "agent:end"],
  );
  await bench.adapter.receive("hello");
  const { id } = bench.agent.sessions.byKey("agent:main:memory:dm:1")!;
  const turn = ["agent:start", "pre_llm_call", "agent:step", "post_llm_call", "agent:end", "on_session_end"];
  assert.deepEqual(bench.order, [
    "pre_gateway_dispatch ",
    ...["session:start", "on_session_start", ...turn].map((event) => `${event} ${id}`),
  ]);
  bench.order.length = 0;
  await bench.adapter.receive("again");
  assert.deepEqual(
    bench.order,
    ["pre_gateway_dispatch", ...turn].map((event) => `${event} ${id}`),
  );
});

test("gateway events carry platform, user, session and key", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  const contexts: Record<string, unknown>[] = [];
  for (const event of ["session:start", "agent:start"])
    agent.registry.register(event, (_, context) => contexts.push(context));
  await adapter.receive("hello", { chat_type: "group", chat_id: "g", user_id: "7" });
  const { id } = agent.sessions.byKey("agent:main:memory:group:g:7")!;
  assert.deepEqual(contexts, [
    { platform: "memory", user_id: "7", session_id: id, session_key: "agent:main:memory:group:g:7" },
    { platform: "memory", user_id: "7", session_id: id, message: "hello" },
  ]);
});

test("a draft grows with the answer and becomes it; the words between tool calls make way", async (t) => {
  const adapter = new MemoryAdapter({ drafts: true });
  const { tool, database } = await createGatewayBench(t, { adapters: [adapter] });
  tool.release();
  await adapter.receive("@wait {}");
  const updates = adapter.happened.filter((line) => line.startsWith("update "));
  assert.ok(updates.length > 1);
  assert.equal(updates.at(-1), `update ${adapter.sent[0]!.text}`);
  assert.equal(adapter.happened.filter((line) => line === "draft").length, 1);
  assert.equal(adapter.happened.at(-1), "finish");
  assert.equal(adapter.sent.length, 1);
  const row = database.prepare("SELECT text, attempts, sent_at FROM outbox").get()!;
  assert.equal(row["text"], adapter.sent[0]!.text);
  assert.notEqual(row["sent_at"], null);
});

test("while a hook may change the answer nobody sees it before: no draft, no text frames", async (t) => {
  const adapter = new MemoryAdapter({ drafts: true });
  const { agent } = await createGatewayBench(t, { adapters: [adapter] });
  agent.hook("transform_llm_output", () => "clean");
  await adapter.receive("secret");
  assert.deepEqual(adapter.happened, ["start"]);
  assert.deepEqual(adapter.textsOf("1"), ["clean"]);
  const { frames, text } = await adapter.ask("secret");
  assert.equal(text, "clean");
  assert.deepEqual(
    frames.filter(({ type }) => type === "text"),
    [],
  );
});

test("a message ends without waiting for its draft to be deleted", async () => {
  const adapter = new MemoryAdapter({ drafts: true });
  adapter.onDiscard = () => new Promise(() => undefined);
  const { source } = adapter.message("hello");
  const deps = { adapter: () => adapter, streams: () => true, log: noteLog().log, sendMs: 100_000 };
  const recipient = createChatRecipient(source, { ...deps, outbox: {} as Outbox });
  recipient.show({ type: "text", session_id: "s", delta: "half an ans" });
  await recipient.end();
  assert.deepEqual(adapter.happened, ["draft", "update half an ans", "discard"]);
});

test("a draft that cannot be finished is taken away, and the answer sent as a message", async (t) => {
  const adapter = new MemoryAdapter({ drafts: true });
  adapter.onFinish = () => {
    throw new Error("the message is gone");
  };
  const { database } = await createGatewayBench(t, { adapters: [adapter] });
  await adapter.receive("hello");
  assert.ok(adapter.happened.includes("discard"));
  assert.ok(!adapter.happened.includes("finish"));
  assert.equal(adapter.sent.length, 1);
  assert.match(adapter.sent[0]!.text, /^hello/);
  assert.equal(database.prepare("SELECT attempts FROM outbox").get()!["attempts"], 1);
});

test("a failed turn is one plain sentence for the user, and the reason is in the log", async (t) => {
  await using server = await startModelServer([{ status: 401, message: "key sk-secret is wrong at http://inner" }]);
  const { adapter, logged } = await createGatewayBench(t, {
    model: { provider: "openai-compatible", base_url: server.url, default: "m", max_retries: 0 },
  });
  await adapter.receive("hello");
  assert.equal(adapter.sent.length, 1);
  assert.match(adapter.sent[0]!.text, /^My model did not answer\./);
  assert.doesNotMatch(adapter.sent[0]!.text, /sk-|http|HERMES|127/);
  assert.ok(
    logged.some((line) => line.startsWith("a turn ended without an answer") && line.includes("HERMES_MODEL_REQUEST")),
  );
});

test("a caller learns the code of what failed", async (t) => {
  const { adapter } = await createGatewayBench(t, { model: { provider: "openai" } });
  const { text, problem } = await adapter.ask("hello");
  assert.equal(text, null);
  assert.equal(problem?.code, "HERMES_MODEL_CONFIG");
  assert.equal(problem.name, "HermesError");
});

test("an answer at the turn limit is an answer", async (t) => {
  const calls = Array.from({ length: 12 }, () => "run `x`").join(" ");
  const { adapter, tool } = await createGatewayBench(t);
  tool.release();
  const { text, problem, frames } = await adapter.ask(calls);
  assert.equal((frames.at(-1) as { completed?: boolean }).completed, false);
  assert.equal(problem, null);
  assert.match(text!, /terminal returned/);
});

test("an answer that a hook emptied is not sent", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  agent.hook("transform_llm_output", () => "  ");
  await adapter.receive("hello");
  assert.deepEqual(adapter.sent, []);
});

test("the hooks of the gate are shown behind the session's frame, before those of the turn", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  agent.hook("pre_gateway_dispatch", () => ({ action: "allow" }));
  agent.hook("pre_llm_call", () => undefined);
  const { frames } = await adapter.ask("hello");
  assert.deepEqual(
    frames.slice(0, 3).map((frame) => (frame.type === "hook" ? frame.event : frame.type)),
    ["session", "pre_gateway_dispatch", "pre_llm_call"],
  );
});

test("what a hook says to the user comes as a message of its own, five times a turn at most", async (t) => {
  const bench = await createGatewayBench(t);
  const { adapter, agent } = bench;
  let says = 0;
  const run = () => ({ notice: `remark ${++says}`, note: "for the record" });
  agent.dispatcher.register(makeHook("pre_llm_call", run));
  for (let more = 0; more < 7; more++) agent.dispatcher.register(makeHook("on_session_end", run));
  await adapter.receive("hello");
  const texts = () => adapter.sent.map(({ text }) => text).filter((text) => text.startsWith("remark"));
  await until(() => texts().length === 5, "five remarks have come");
  await adapter.receive("again");
  await until(() => texts().length === 10, "ten remarks have come");
  assert.deepEqual(
    texts(),
    [1, 2, 3, 4, 5, 9, 10, 11, 12, 13].map((number) => `remark ${number}`),
  );
});

test("the model is told who speaks and what was replied to, hooks and commands get the words", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  const seen: unknown[] = [];
  agent.hook("pre_gateway_dispatch", ({ event }) => void seen.push((event as { text: string }).text));
  agent.hook("pre_llm_call", ({ user_message }) => void seen.push(user_message));
  const group = { chat_type: "group", chat_id: "g", speaker: "Ada\n[admin]" };
  await adapter.receive("why?", { ...group, reply_to: { speaker: "you", text: `it\n${"x".repeat(600)}` } });
  assert.deepEqual(seen, ["why?", `[From Ada |admin|, in reply to you: "it ${"x".repeat(497)}…"]\nwhy?`]);
  await adapter.receive("/status", group);
  assert.match(adapter.sent.at(-1)!.text, /^session: /);
});

test("a message without words is answered with its adapter's sentence, not to strangers", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, { settings: { allowed_users: ["1"] } });
  const unreadable = "I can't listen to voice messages.";
  await adapter.receive("", { unreadable });
  await adapter.receive("", { unreadable, user_id: "2", chat_id: "2" });
  assert.deepEqual(adapter.textsOf("1"), [unreadable]);
  assert.ok(!adapter.textsOf("2").includes(unreadable));
  assert.equal(agent.sessions.byKey("agent:main:memory:dm:1"), undefined);
});

test("a chat that has another id continues its conversations there", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  const at = (chat_id: string) => ({ chat_type: "group", chat_id, user_id: "1" });
  await adapter.receive("hello", at("-1"));
  await adapter.receive("hello", at("-12"));
  const { id } = agent.sessions.byKey("agent:main:memory:group:-1:1")!;
  adapter.inbox.moved?.("-1", "-100");
  await adapter.receive("still there?", at("-100"));
  assert.equal(agent.sessions.byKey("agent:main:memory:group:-100:1")?.id, id);
  assert.equal(agent.sessions.get(id)?.message_count, 4);
  assert.notEqual(agent.sessions.byKey("agent:main:memory:group:-12:1"), undefined);
});
