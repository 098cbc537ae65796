/** Adapters that start late, come, go, hang and throw; and the end of the gateway. */
import assert from "node:assert/strict";
import test from "node:test";
import { HermesError } from "#core/errors";
import type { Adapter, Inbox } from "#core/ports/platform";
import { createGatewayBench, record } from "../helpers/gateway-bench.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";
import { until } from "../helpers/poll.ts";

const never = () => new Promise(() => undefined);
const down = () => {
  throw new Error("connection refused");
};

test("gateway:startup names the platforms that run, after the first round", async (t) => {
  const adapters = [
    new MemoryAdapter(),
    new MemoryAdapter({ name: "broken", starts: [down] }),
    new MemoryAdapter({ name: "b" }),
  ];
  const { gateway, agent, warnings } = await createGatewayBench(t, {
    adapters,
    start: false,
    timings: { firstPause: 5000 },
  });
  const contexts: unknown[] = [];
  agent.registry.register("gateway:startup", (_, context) => void contexts.push(context));
  await gateway.start(adapters);
  assert.deepEqual(contexts, [{ platforms: ["memory", "b"] }]);
  assert.deepEqual(Object.keys(gateway.adapters), ["memory", "b"]);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /^The platform "broken" cannot start: connection refused\. The gateway continues without it/,
  );
});

test("a handler of gateway:startup that takes its time holds up nothing", async (t) => {
  const adapter = new MemoryAdapter();
  const { gateway, agent } = await createGatewayBench(t, { adapters: [adapter], start: false });
  agent.registry.register("gateway:startup", never);
  await gateway.start([adapter]);
  assert.match((await adapter.ask("hello")).text!, /^hello/);
});

test("a platform that cannot start is tried again until it can, and warned about once", async (t) => {
  const late = new MemoryAdapter({ name: "late", starts: [down, down, down] });
  const { gateway, warnings } = await createGatewayBench(t, { adapters: [new MemoryAdapter(), late] });
  assert.equal(gateway.adapters["late"], undefined);
  await until(() => gateway.adapters["late"] !== undefined, "the platform runs");
  assert.equal(late.happened.length, 4);
  assert.match((await late.ask("hello")).text!, /^hello/);
  assert.equal(warnings.length, 1);
});

const misconfigured = () =>
  new MemoryAdapter({
    name: "wrong",
    starts: [
      () => {
        throw new HermesError("HERMES_ADAPTER_CONFIG", { platform: "wrong", problem: "it has no key." });
      },
    ],
  });

test("what the configuration has wrong is said once and not tried again", async (t) => {
  const wrong = misconfigured();
  const { warnings, adapter } = await createGatewayBench(t, { adapters: [new MemoryAdapter(), wrong] });
  assert.match((await adapter.ask("hello")).text!, /^hello/);
  assert.deepEqual(wrong.happened, ["start"]);
  assert.deepEqual(warnings, ["The platform wrong is not configured correctly: it has no key."]);
});

test("where nothing can run as it is configured the start rejects; at an exchange that is a warning", async (t) => {
  const { gateway, warnings, agent } = await createGatewayBench(t, { adapters: [misconfigured()], start: false });
  const startups: unknown[] = [];
  agent.registry.register("gateway:startup", (_, context) => void startups.push(context));
  await assert.rejects(gateway.start([misconfigured()]), { code: "HERMES_ADAPTER_CONFIG", exitCode: 2 });
  assert.deepEqual([startups, warnings], [[], []]);
  await gateway.setAdapters([misconfigured()]);
  assert.equal(warnings.length, 1);
});

test("a platform that could be reached only to say that its configuration is wrong is warned about", async (t) => {
  const wrong = misconfigured();
  const late = new MemoryAdapter({ name: "late", starts: [down, () => wrong.start(wrong.inbox)] });
  Object.defineProperty(wrong, "inbox", { value: {} });
  const { warnings } = await createGatewayBench(t, { adapters: [new MemoryAdapter(), late] });
  await until(() => warnings.length === 2, "both were said");
  assert.match(warnings[1]!, /^The platform wrong is not configured correctly/);
});

test("a start that hangs keeps nobody waiting; when it ends, the platform runs", async (t) => {
  const held = Promise.withResolvers<void>();
  const slow = new MemoryAdapter({ name: "slow", starts: [() => held.promise] });
  const bench = await createGatewayBench(t, { adapters: [new MemoryAdapter(), slow], timings: { start: 30 } });
  assert.match(bench.warnings[0]!, /"slow" has not started within 0\.03 s/);
  assert.match((await bench.adapter.ask("hello")).text!, /^hello/);
  held.resolve();
  await until(() => bench.gateway.adapters["slow"] !== undefined, "the slow platform runs");
});

test("adapters are replaced while the gateway runs: unchanged ones keep running, and an old one stops before its replacement starts", async (t) => {
  const kept = new MemoryAdapter({ name: "kept" });
  const old = new MemoryAdapter();
  const { gateway, tool } = await createGatewayBench(t, { adapters: [kept, old] });
  const running = old.receive("@wait {}");
  await tool.running(1);
  const order: string[] = [];
  const fresh = new MemoryAdapter({ starts: [() => order.push(`new starts, old ${old.happened.at(-1)}`)] });
  await gateway.setAdapters([kept, fresh]);
  assert.deepEqual(order, ["new starts, old stop"]);
  assert.deepEqual(kept.happened, ["start"]);
  const refused = await old.ask("hello");
  assert.equal(refused.problem?.code, "HERMES_GATEWAY_STOPPING");
  tool.release();
  await running;
  assert.deepEqual(old.sent, []);
  assert.match(fresh.sent[0]!.text, /^wait returned/);
  await gateway.setAdapters([kept]);
  assert.equal(gateway.adapters["memory"], undefined);
  assert.equal(fresh.happened.at(-1), "stop");
});

test("of two platforms with one name the first runs; one without a name does not", async (t) => {
  const nameless = Object.assign(new MemoryAdapter(), { name: "" });
  const hostile = Object.defineProperty(new MemoryAdapter(), "name", { get: down });
  const adapters = [new MemoryAdapter(), new MemoryAdapter(), nameless, hostile];
  const { gateway, warnings } = await createGatewayBench(t, { adapters });
  assert.deepEqual(Object.keys(gateway.adapters), ["memory"]);
  assert.equal(warnings.length, 3);
  assert.deepEqual(adapters[1]!.happened, []);
});

test("an adapter without any of the required methods does no harm", async (t) => {
  const empty = { name: "empty" } as unknown as Adapter;
  const { adapter, gateway, warnings } = await createGatewayBench(t, { adapters: [new MemoryAdapter(), empty] });
  assert.match((await adapter.ask("hello")).text!, /^hello/);
  assert.match(warnings[0]!, /"empty" cannot start/);
  await gateway.setAdapters([adapter]);
});

test("an adapter that starts after it was taken away is stopped", async (t) => {
  const held = Promise.withResolvers<void>();
  const slow = new MemoryAdapter({ name: "slow", starts: [() => held.promise] });
  const { gateway } = await createGatewayBench(t, { adapters: [slow], timings: { start: 10 } });
  await gateway.setAdapters([]);
  held.resolve();
  await until(() => slow.happened.filter((line) => line === "stop").length === 2, "the late stop");
  assert.deepEqual(Object.keys(gateway.adapters), []);
});

test("drain: the running turn ends and is answered, then the sessions are finalized, then the adapters stop", async (t) => {
  const bench = await createGatewayBench(t);
  const { adapter, gateway, tool, order, agent } = bench;
  record(bench, ["on_session_end", "on_session_finalize"], []);
  adapter.onSend = (text) => void order.push(`sent ${text.slice(0, 4)}`);
  const stop = adapter.stop.bind(adapter);
  adapter.stop = () => (order.push("stop"), stop());
  const running = adapter.receive("@wait {}");
  await tool.running(1);
  const drained = gateway.drain(10_000);
  assert.equal(gateway.drain(1), drained);
  tool.release();
  await drained;
  await running;
  const { id } = agent.sessions.byKey("agent:main:memory:dm:1")!;
  assert.deepEqual(order, [`on_session_end ${id}`, "sent wait", `on_session_finalize ${id}`, "stop"]);
  assert.equal(gateway.active(), 0);
});

test("drain: users who write get a message, strangers do not; waiting messages are refused", async (t) => {
  const { adapter, gateway, tool } = await createGatewayBench(t, { settings: { allowed_users: ["1"], busy: "queue" } });
  const running = adapter.ask("@wait {}");
  await tool.running(1);
  const waiting = adapter.receive("waits");
  await until(async () => (await adapter.ask("/status")).text!.includes("1 waiting"), "the second message waits");
  const drained = gateway.drain(10_000);
  await waiting;
  await adapter.receive("late");
  await adapter.receive("stranger", { user_id: "2", chat_id: "2" });
  const refused = await adapter.ask("late");
  assert.equal(refused.problem?.code, "HERMES_GATEWAY_STOPPING");
  assert.deepEqual(
    adapter.sent.map(({ chat_id, text }) => [chat_id, text.slice(0, 23)]),
    [
      ["1", "The gateway is shutting"],
      ["1", "The gateway is shutting"],
    ],
  );
  tool.release();
  assert.match((await running).text!, /^wait returned/);
  await drained;
  assert.equal((await adapter.ask("after")).problem?.code, "HERMES_GATEWAY_STOPPING");
});

test("drain: a turn that does not end in time is stopped, and the user gets a message", async (t) => {
  const { adapter, gateway, tool } = await createGatewayBench(t);
  const chat = adapter.receive("@wait {}");
  const caller = adapter.ask("@wait {}", { chat_id: "2" });
  await tool.running(2);
  await gateway.drain(20);
  await chat;
  assert.match(adapter.textsOf("1")[0]!, /^The gateway shut down before I could finish/);
  assert.equal((await caller).problem?.code, "HERMES_GATEWAY_STOPPED");
});

test("drain: closing hooks that hang are bounded together; hooks and adapters that hang keep it from ending no longer than that", async (t) => {
  const { adapter, gateway, agent } = await createGatewayBench(t, { timings: { closing: 50, stop: 50 } });
  await adapter.receive("hello");
  await adapter.receive("hello", { chat_id: "2" });
  const finalized: unknown[] = [];
  agent.hook("on_session_finalize", ({ session_id }) => {
    finalized.push(session_id);
    return never();
  });
  adapter.stop = () => never() as Promise<void>;
  await gateway.drain(1000);
  assert.equal(finalized.length, 2);
});

test("drain: only sessions that had a turn in this run are finalized, and those that were reset once", async (t) => {
  const bench = await createGatewayBench(t);
  const { adapter, gateway, order, agent } = bench;
  agent.sessions.create({ platform: "memory", source: "gateway", key: "agent:main:memory:dm:9" });
  await adapter.receive("hello");
  const used = agent.sessions.byKey("agent:main:memory:dm:1")!.id;
  await adapter.receive("/new", { chat_id: "2" });
  record(bench, ["on_session_finalize"], []);
  await gateway.drain(1000);
  assert.deepEqual(order, [`on_session_finalize ${used}`]);
});

test("drain: what waits for a pause is tried once more, and is in state.db if that fails", async (t) => {
  const { adapter, gateway, database } = await createGatewayBench(t, { timings: { firstPause: 60_000 } });
  let isDown = true;
  adapter.onSend = (_, chat_id) => {
    if (isDown || chat_id === "2") throw new Error("down");
  };
  await adapter.receive("hello");
  await adapter.receive("hello", { chat_id: "2" });
  isDown = false;
  await gateway.drain(1000);
  assert.equal(adapter.textsOf("1").length, 1);
  const waiting = database.prepare("SELECT chat_id, attempts FROM outbox WHERE sent_at IS NULL").all();
  assert.deepEqual(
    waiting.map((row) => ({ ...row })),
    [{ chat_id: "2", attempts: 0 }],
  );
});

test("an adapter that keeps its inbox can do nothing with it after the end", async (t) => {
  const { adapter, gateway, agent } = await createGatewayBench(t);
  const inbox: Inbox = adapter.inbox;
  await gateway.drain(1000);
  await inbox.receive(adapter.message("hello"));
  assert.deepEqual(adapter.sent, []);
  assert.deepEqual(agent.sessions.list({ platform: "memory" }), []);
});
