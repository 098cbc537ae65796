/** The queue of a hook: order, bounds, copies, decisions and their deadline; with handlers that are mere functions. */
import test from "node:test";
import assert from "node:assert/strict";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { HermesError } from "#core/errors";
import type { HookRun } from "#core/ports/hook";
import { HookQueue, type QueueIdentity, type QueueOptions } from "#gateway/hooks/queue";
import type { Handler } from "#core/ports/tier";
import { until } from "../../helpers/poll.ts";
import { makeGatewayHook } from "../../helpers/gateway-hook.ts";

type Run = (event: string, context: Readonly<Record<string, unknown>>) => Promise<unknown>;

const HOOK = makeGatewayHook("test", { events: ["agent:step", "command:*"], timeoutSeconds: 60 });

function makeQueue(run: Run, options: { timeoutSeconds?: number; open?: QueueOptions["open"] } = {}) {
  const runs: HookRun[] = [];
  const identity: QueueIdentity = { source: "worker", name: "test", event: "agent:step", command: null, dropped: 0 };
  const handler: Handler = { run, close: () => Promise.resolve() };
  const queue = new HookQueue({
    hook: { ...HOOK, timeoutSeconds: options.timeoutSeconds ?? HOOK.timeoutSeconds },
    open: options.open ?? (() => Promise.resolve(handler)),
    record: (one) => void runs.push(one),
    onDrop: () => undefined,
  });
  const take = (event: string, context: Record<string, unknown> = {}) => queue.publish(identity, event, context);
  const publish = (...event: Parameters<typeof take>) => void take(...event);
  const decide = async (...event: Parameters<typeof take>) => take(...event);
  return { queue, take, publish, decide, runs, identity };
}

/** A handler that runs until it is told to end. */
function makeGate() {
  const started: unknown[] = [];
  let open: (answer?: unknown) => void = () => undefined;
  const run: Run = (_event, context) => {
    started.push(context["n"]);
    return new Promise((resolve) => (open = resolve));
  };
  return { run, started, open: (answer?: unknown) => open(answer) };
}

test("decisions are not late while the handler is being loaded, neither the first nor those behind it", async () => {
  let loaded: () => void = () => undefined;
  const run: Run = () => new Promise((resolve) => (loaded = () => resolve({ decision: "deny", message: "no" })));
  const open: QueueOptions["open"] = async (loads) => ({
    run: async (...event) => {
      loads.onLoading();
      const answer = run(...event);
      await delay(120);
      loads.onLoaded();
      loaded();
      return answer;
    },
    close: () => Promise.resolve(),
  });
  const { decide, runs } = makeQueue(run, { timeoutSeconds: 0.1, open });
  const first = decide("command:one");
  const second = decide("command:two");
  assert.deepEqual(await first, { decision: "deny", message: "no" });
  assert.deepEqual(await second, { decision: "deny", message: "no" });
  assert.deepEqual(
    runs.map(({ outcome }) => outcome),
    ["block", "block"],
  );
});

test("events come one at a time and in order, and the publisher has long gone on", async () => {
  const gate = makeGate();
  const { queue, take } = makeQueue(gate.run);
  for (const n of [1, 2, 3]) assert.equal(take("agent:step", { n }), undefined);
  assert.deepEqual(gate.started, []);
  for (const upTo of [[1], [1, 2], [1, 2, 3]]) {
    await turn();
    await turn();
    assert.deepEqual(gate.started, upTo);
    gate.open();
  }
  await queue.idle();
});

test("a handler sees an event as it was when it was emitted", async () => {
  const seen: unknown[] = [];
  const { queue, publish } = makeQueue((_event, context) => Promise.resolve(seen.push(context)));
  const context: Record<string, unknown> = { list: [1], text: "before", when: new Date(0), call: () => 1 };
  publish("agent:step", context);
  context["text"] = "after";
  (context["list"] as number[]).push(2);
  await queue.idle();
  assert.deepEqual(seen, [{ list: [1], text: "before", when: "1970-01-01T00:00:00.000Z" }]);
});

test("what JSON cannot hold stops no event", async () => {
  const seen: unknown[] = [];
  const { queue, publish } = makeQueue((_event, context) => Promise.resolve(seen.push(context)));
  const circle: Record<string, unknown> = { big: 10n };
  circle["self"] = circle;
  publish("agent:step", circle);
  publish(
    "agent:step",
    Object.defineProperty({ a: 1 }, "hostile", {
      enumerable: true,
      get() {
        throw new Error("do not look");
      },
    }),
  );
  await queue.idle();
  assert.deepEqual(seen[0], { big: "10", self: "[circular]" });
  assert.equal((seen[1] as { a: unknown }).a, 1);
});

test("a full queue drops the oldest and counts them", async () => {
  const gate = makeGate();
  const { queue, publish, identity, runs } = makeQueue(gate.run);
  publish("agent:step", { n: -1 });
  await turn();
  await turn();
  for (let n = 0; n < 1030; n++) publish("agent:step", { n });
  assert.equal(identity.dropped, 6);
  gate.open();
  for (let n = 0; n < 1024; n++) {
    await turn();
    gate.open();
  }
  await queue.idle();
  assert.deepEqual(gate.started.slice(0, 3), [-1, 6, 7]);
  assert.equal(gate.started.at(-1), 1029);
  assert.equal(runs.length, 1025);
});

test("large events fill it sooner, but one always has a place", async () => {
  const gate = makeGate();
  const { queue, publish, identity } = makeQueue(gate.run);
  publish("agent:step", { n: -1 });
  await turn();
  await turn();
  const text = "x".repeat(10 * 1024 * 1024);
  for (let n = 0; n < 5; n++) publish("agent:step", { n, text });
  assert.equal(identity.dropped, 2);
  publish("agent:step", { n: 5, text: text.repeat(4) });
  assert.equal(identity.dropped, 5);
  gate.open();
  await turn();
  gate.open();
  await queue.idle();
  assert.deepEqual(gate.started, [-1, 5]);
});

test("a decision is waited for; its outcome is in the record", async () => {
  const answers: Record<string, unknown> = {
    "command:deny": { decision: "deny", message: "no" },
    "command:handled": { decision: "handled", message: "done" },
    "command:rewrite": { decision: "rewrite", command_name: "help", raw_args: "" },
    "command:nothing": null,
    "command:watched": { logged: true },
    "command:mistyped": { decision: "block" },
    "command:half": { decision: "rewrite" },
  };
  const { decide, runs } = makeQueue((event) => Promise.resolve(answers[event]));
  const decisions = await Promise.all(Object.keys(answers).map((event) => decide(event)));
  assert.deepEqual(decisions, [
    answers["command:deny"],
    answers["command:handled"],
    answers["command:rewrite"],
    null,
    null,
    null,
    null,
  ]);
  assert.deepEqual(
    runs.map(({ event, outcome, detail }) => [event, outcome, detail]),
    [
      ["command:deny", "block", "no"],
      ["command:handled", "skip", null],
      ["command:rewrite", "rewrite", null],
      ["command:nothing", "pass", null],
      ["command:watched", "pass", null],
      [
        "command:mistyped",
        "error",
        'gateway hook "test" failed at command:mistyped: unknown decision "block"; use deny, handled or rewrite',
      ],
      [
        "command:half",
        "error",
        'gateway hook "test" failed at command:half: its decision "rewrite" needs a string "command_name"',
      ],
    ],
  );
});

test("answers to other events are ignored", async () => {
  const { queue, publish, runs } = makeQueue(() => Promise.resolve({ decision: "deny" }));
  publish("agent:step", { session_id: "s1" });
  await queue.idle();
  const [run] = runs;
  assert.equal(run?.outcome, "pass");
  assert.equal(run?.session_id, "s1");
  assert.equal(run?.source, "worker");
});

test("a decision that waits behind other events is given up at its deadline, though the handler sees the event", async () => {
  const gate = makeGate();
  const { queue, publish, decide, runs } = makeQueue(gate.run, { timeoutSeconds: 0.05 });
  publish("agent:step", { n: 1 });
  const decision = decide("command:x", { n: 2 });
  assert.equal(await decision, null);
  await turn();
  assert.deepEqual(gate.started, [1]);
  gate.open();
  await until(() => gate.started.length === 2, "the handler sees the command");
  gate.open({ decision: "deny" });
  await queue.idle();
  assert.deepEqual(gate.started, [1, 2]);
  assert.deepEqual(
    runs.map(({ outcome }) => outcome),
    ["pass", "timeout"],
  );
  assert.match(
    runs[1]!.detail!,
    /decided about command:x more than 0\.05 s after it arrived, so the decision was ignored/,
  );
});

test("a failing handler decides nothing, and the next event reaches it", async () => {
  let turns = 0;
  const { decide, runs } = makeQueue(() => {
    turns++;
    if (turns === 1) {
      return Promise.reject(
        new HermesError("HERMES_HANDLER_FAILED", { name: "test", event: "command:x", problem: "no" }),
      );
    }
    if (turns === 2) {
      return Promise.reject(
        new HermesError("HERMES_HANDLER_TIMEOUT", { name: "test", event: "command:x", seconds: 1 }),
      );
    }
    return Promise.resolve({ decision: "handled" });
  });
  assert.deepEqual([await decide("command:x"), await decide("command:x")], [null, null]);
  assert.deepEqual(await decide("command:x"), { decision: "handled" });
  assert.deepEqual(
    runs.map(({ outcome }) => outcome),
    ["error", "timeout", "skip"],
  );
});

test("a tier that cannot be made now is asked for again at the next event", async () => {
  let turns = 0;
  const handler: Handler = { run: () => Promise.resolve({ decision: "handled" }), close: () => Promise.resolve() };
  const open = () => (turns++ === 0 ? Promise.reject(new Error("not now")) : Promise.resolve(handler));
  const { decide, runs } = makeQueue(() => Promise.resolve(null), { open });
  assert.equal(await decide("command:x"), null);
  assert.deepEqual(await decide("command:x"), { decision: "handled" });
  assert.equal(runs[0]?.detail, "not now");
});

test("closing gives up what waits; whoever waits for a decision learns it", async () => {
  const gate = makeGate();
  const closed: string[] = [];
  const handler: Handler = {
    run: gate.run,
    close: () => {
      closed.push("closed");
      gate.open();
      return Promise.resolve();
    },
  };
  const { queue, publish, decide } = makeQueue(gate.run, { open: () => Promise.resolve(handler) });
  publish("agent:step", { n: 1 });
  const decision = decide("command:x", { n: 2 });
  await turn();
  await turn();
  await queue.close();
  assert.equal(await decision, null);
  assert.deepEqual(gate.started, [1]);
  assert.deepEqual(closed, ["closed"]);
});

test("a queue that comes after another begins with what that one leaves, in order", async () => {
  const gate = makeGate();
  const old = makeQueue(gate.run);
  for (const n of [1, 2, 3]) old.publish("agent:step", { n });
  await turn();
  await turn();
  const seen: unknown[] = [];
  const queueThatSees = (after?: ReturnType<HookQueue["retire"]>) =>
    new HookQueue({
      hook: HOOK,
      open: () =>
        Promise.resolve({ run: (_event, { n }) => Promise.resolve(seen.push(n)), close: () => Promise.resolve() }),
      record: () => undefined,
      onDrop: () => undefined,
      ...(after === undefined ? {} : { after }),
    });
  const rest = old.queue.retire(0);
  const fresh = queueThatSees(rest);
  void fresh.publish(old.identity, "agent:step", { n: 4 });
  const free = queueThatSees();
  void free.publish(old.identity, "agent:step", { n: "free" });
  await free.idle();
  assert.deepEqual(seen.splice(0), ["free"], "a queue that comes after no other runs, this one waits");
  // A later timer: the old queue's time is up before it.
  await delay(5);
  gate.open();
  await fresh.idle();
  assert.deepEqual(gate.started, [1]);
  assert.deepEqual(seen, [2, 3, 4]);
});

test("who follows an emission gets its run, or learns that there will be none", async () => {
  const gate = makeGate();
  const { queue, identity } = makeQueue(gate.run);
  const told: (string | null)[] = [];
  const follow = (event: string) => queue.publish(identity, event, {}, (run) => void told.push(run?.outcome ?? null));
  void follow("agent:step");
  await until(() => gate.started.length === 1, "the first event runs");
  gate.open();
  await queue.idle();
  assert.deepEqual(told.splice(0), ["pass"]);
  // Nothing runs before the publisher has returned, and the two oldest do not fit.
  for (let number = 0; number < 1026; number++) void follow("agent:step");
  assert.deepEqual(told.splice(0), [null, null]);
  const decision = follow("command:late");
  await queue.close();
  assert.equal(await decision, null);
  assert.deepEqual(
    told,
    Array.from({ length: 1025 }, () => null),
  );
});
