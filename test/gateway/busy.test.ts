/** What a message does to the turn that runs in its conversation. */
import assert from "node:assert/strict";
import test from "node:test";
import { createGatewayBench, type GatewayBenchOptions } from "../helpers/gateway-bench.ts";
import type { MemoryAdapter, Replied } from "../helpers/memory-adapter.ts";
import { until } from "../helpers/poll.ts";

const ENDLESS = "@wait {}";
const KEY = "agent:main:memory:dm:1";

const settings = (busy: "interrupt" | "queue" | "steer"): GatewayBenchOptions => ({
  settings: { allowed_users: ["*"], busy },
});

function assertInterrupted({ text, problem }: Replied): void {
  assert.equal(text, null);
  assert.equal(problem?.code, "HERMES_INTERRUPTED");
}

/** Asks until so many messages wait. */
async function untilWaiting(adapter: MemoryAdapter, count: number): Promise<void> {
  const isThere = async () => (await adapter.ask("/status")).text!.includes(` ${count} waiting`);
  await until(isThere, `${count} messages wait`);
}

test("interrupt, the default: the running turn ends, the new message runs next, in the same session", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t);
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  const second = await adapter.ask("never mind");
  assertInterrupted(await first);
  assert.match(second.text!, /^never mind/);
  const { id } = agent.sessions.byKey(KEY)!;
  const words = agent.sessions.history(id).filter(({ role }) => role === "user");
  assert.deepEqual(
    words.map(({ content }) => content),
    [ENDLESS, "never mind"],
  );
});

test("interrupt: of several that come at once the last is answered, the words of the others stay", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t);
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  const replies = await Promise.all([adapter.ask("one"), adapter.ask("two"), adapter.ask("three")]);
  for (const reply of [await first, ...replies.slice(0, 2)]) assertInterrupted(reply);
  assert.match(replies[2].text!, /^three/);
  const history = agent.sessions.history(agent.sessions.byKey(KEY)!.id);
  assert.deepEqual(
    history.filter(({ role }) => role === "user").map(({ content }) => content),
    [ENDLESS, "one", "two", "three"],
  );
});

test("interrupt: the user gets only the answer to the new message", async (t) => {
  const { adapter, tool } = await createGatewayBench(t);
  const first = adapter.receive(ENDLESS);
  await tool.running(1);
  await adapter.receive("hello");
  await first;
  assert.equal(adapter.sent.length, 1);
  assert.match(adapter.sent[0]!.text, /^hello/);
});

test("queue: messages are answered one after another, in order", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t, settings("queue"));
  const starts: unknown[] = [];
  agent.hook("pre_llm_call", ({ user_message }) => void starts.push(user_message));
  const all = [ENDLESS, "one", "two", "three"].map((text) => adapter.receive(text));
  await tool.running(1);
  assert.deepEqual(starts, [ENDLESS]);
  tool.release();
  await Promise.all(all);
  assert.deepEqual(starts, [ENDLESS, "one", "two", "three"]);
  assert.deepEqual(adapter.textsOf("1").slice(1), ["one", "two", "three"]);
});

test("queue: beyond the limit the user gets a message and a caller the reason; the others are answered", async (t) => {
  const { adapter, tool } = await createGatewayBench(t, settings("queue"));
  const first = adapter.receive(ENDLESS);
  await tool.running(1);
  const waiting = Array.from({ length: 100 }, (_, index) => adapter.receive(`number ${index}`));
  await adapter.receive("one too many");
  assert.match(adapter.sent[0]!.text, /^This conversation already has 100 messages waiting/);
  const refused = await adapter.ask("one too many");
  assert.equal(refused.problem?.code, "HERMES_GATEWAY_BUSY");
  tool.release();
  await Promise.all([first, ...waiting]);
  assert.deepEqual(
    adapter.textsOf("1").slice(2),
    Array.from({ length: 100 }, (_, index) => `number ${index}`),
  );
});

test("steer: the text joins the running turn, whose answer is for both messages", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t, settings("steer"));
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  const second = await adapter.ask("and add this");
  assert.deepEqual([second.text, second.problem], [null, null]);
  tool.release();
  const { frames } = await first;
  const injected = frames.find(({ type }) => type === "injected");
  assert.deepEqual(injected, {
    type: "injected",
    session_id: frames[0]!.session_id,
    source_kind: "inject",
    source_label: "memory",
    content: "and add this",
  });
  assert.equal(agent.sessions.history(frames[0]!.session_id).filter(({ role }) => role === "user").length, 2);
});

test("steer: what comes too late for the turn waits for its own", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, settings("steer"));
  const held = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<void>();
  agent.hook("on_session_end", () => {
    ending.resolve();
    return held.promise;
  });
  const first = adapter.ask("hello");
  await ending.promise;
  const second = adapter.ask("too late");
  held.resolve();
  assert.match((await first).text!, /^hello/);
  assert.equal((await second).text, "too late");
});

test("steer: a stopped turn accepts no more text", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t, settings("steer"));
  const held = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<void>();
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  agent.hook("on_session_end", () => {
    ending.resolve();
    return held.promise;
  });
  await adapter.receive("/stop");
  await ending.promise;
  const second = adapter.ask("go on");
  held.resolve();
  assertInterrupted(await first);
  assert.match((await second).text!, /^go on/);
});

test("/stop acts at once, whatever waits, and drops it", async (t) => {
  const { adapter, tool, gateway } = await createGatewayBench(t, settings("queue"));
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  assert.equal(gateway.active(), 1);
  const waiting = [adapter.ask("one"), adapter.ask("two")];
  await untilWaiting(adapter, 2);
  const { text } = await adapter.ask("/stop");
  assert.equal(text, "Stopped. Dropped 2 waiting messages.");
  for (const reply of [first, ...waiting]) assertInterrupted(await reply);
  assert.equal((await adapter.ask("/stop")).text, "Nothing is running.");
});

test("/stop does not wait for a slow hook that looks at an earlier message", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t, settings("queue"));
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  const held = Promise.withResolvers<void>();
  const looking = Promise.withResolvers<void>();
  agent.hook("pre_gateway_dispatch", (payload) => {
    if ((payload["event"] as { text: string }).text !== "slow") return undefined;
    looking.resolve();
    return held.promise;
  });
  const slow = adapter.ask("slow");
  await looking.promise;
  assert.equal((await adapter.ask("/stop")).text, "Stopped.");
  assertInterrupted(await first);
  held.resolve();
  assert.match((await slow).text!, /^slow/);
});

test("messages of one conversation stay in order although a hook takes its time for the first", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, settings("queue"));
  const started: unknown[] = [];
  const held = Promise.withResolvers<void>();
  agent.hook("pre_gateway_dispatch", (payload) =>
    (payload["event"] as { text: string }).text === "one" ? held.promise : undefined,
  );
  agent.hook("pre_llm_call", ({ user_message }) => void started.push(user_message));
  const three = ["one", "two", "three"].map((text) => adapter.receive(text));
  await adapter.receive("elsewhere", { chat_id: "2" });
  assert.deepEqual(started, ["elsewhere"], "those behind the first wait");
  held.resolve();
  await Promise.all(three);
  assert.deepEqual(started, ["elsewhere", "one", "two", "three"]);
});

test("conversations run side by side", async (t) => {
  const { adapter, tool, gateway } = await createGatewayBench(t);
  const both = ["1", "2"].map((chat_id) => adapter.ask(ENDLESS, { chat_id }));
  await tool.running(2);
  assert.equal(gateway.active(), 2);
  tool.release();
  for (const { problem } of await Promise.all(both)) assert.equal(problem, null);
});

test("a caller who goes away ends the turn, and gives up a place in the queue", async (t) => {
  const { adapter, tool } = await createGatewayBench(t, settings("queue"));
  const caller = new AbortController();
  const waiting = new AbortController();
  const gone = AbortSignal.abort();
  const first = adapter.ask(ENDLESS, { signal: caller.signal });
  await tool.running(1);
  const second = adapter.ask("one", { signal: waiting.signal });
  const third = adapter.ask("two", { signal: gone });
  await untilWaiting(adapter, 2);
  waiting.abort();
  assertInterrupted(await second);
  caller.abort();
  assertInterrupted(await first);
  const { frames, ...reply } = await third;
  assertInterrupted({ frames, ...reply });
  assert.deepEqual(frames, []);
});

test("the program's own messages wait for a user's turn", async (t) => {
  const { adapter, tool } = await createGatewayBench(t);
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  const own = adapter.ask("a task has ended", { internal: true });
  await untilWaiting(adapter, 1);
  tool.release();
  assert.match((await first).text!, /^wait returned/);
  assert.equal((await own).text, "a task has ended");
});

test("the mode is asked for every message", async (t) => {
  const bench = await createGatewayBench(t, settings("queue"));
  const { adapter, tool } = bench;
  const first = adapter.ask(ENDLESS);
  await tool.running(1);
  bench.settings = { allowed_users: ["*"], busy: "interrupt" };
  await adapter.ask("now");
  assertInterrupted(await first);
});
