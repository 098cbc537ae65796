import assert from "node:assert/strict";
import test from "node:test";
import type { Decision } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { EVENT_NAMES, EVENTS, declarationOf, type EventName } from "#core/events";
import type { Hook, HookRun } from "#core/ports/hook";
import { answering, makeHook } from "../helpers/hooks.ts";

function fixture(...hooks: Hook[]) {
  const dispatcher = new HookDispatcher();
  const runs: HookRun[] = [];
  dispatcher.sinks.add((run) => runs.push(run));
  for (const hook of hooks) dispatcher.register(hook);
  const fire = (event: EventName): Decision | Promise<Decision> =>
    dispatcher.invoke_hook(event, declarationOf(event).sample() as never);
  return { dispatcher, runs, fire };
}

test("an event that nobody listens to passes and does not make its payload", () => {
  const { dispatcher } = fixture();
  const decision = dispatcher.invoke_hook("pre_llm_call", () => assert.fail("the payload was made"));
  assert.deepEqual(decision, { kind: "pass" });
});

test("synchronous hooks are dispatched without a promise", () => {
  const { fire } = fixture(answering("pre_tool_call", { action: "block", message: "no" }));
  assert.deepEqual(fire("pre_tool_call"), { kind: "block", message: "no" });
});

test("the first block wins and later hooks do not run", async () => {
  const { fire, runs } = fixture(
    makeHook("pre_tool_call", async () => ({ answer: { action: "block", message: "first" } }), { name: "a" }),
    makeHook("pre_tool_call", () => assert.fail("ran after a block"), { name: "b" }),
  );
  assert.deepEqual(await fire("pre_tool_call"), { kind: "block", message: "first" });
  assert.deepEqual(
    runs.map(({ name, outcome, detail }) => [name, outcome, detail]),
    [["a", "block", "first"]],
  );
});

test("in-process hooks run before shell hooks, whatever was registered first", async () => {
  const order: string[] = [];
  const note = (source: Hook["source"], name: string) =>
    makeHook("pre_tool_call", () => (order.push(name), {}), { source, name });
  const { fire } = fixture(note("shell", "s1"), note("plugin", "p1"), note("shell", "s2"), note("python", "p2"));
  await fire("pre_tool_call");
  assert.deepEqual(order, ["p1", "p2", "s1", "s2"]);
});

test("modify merges into the arguments, later ones win, and later hooks see them", async () => {
  const seen: unknown[] = [];
  const { fire } = fixture(
    answering("pre_tool_call", { action: "modify", args: { command: "a", timeout: 1 } }),
    makeHook("pre_tool_call", (firing) => {
      seen.push((firing as { frozen(): unknown }).frozen());
      return { answer: { action: "modify", args: { command: "b" } } };
    }),
  );
  assert.deepEqual(await fire("pre_tool_call"), { kind: "modify", args: { command: "b", timeout: 1 } });
  assert.deepEqual((seen[0] as { args: unknown }).args, { command: "a", timeout: 1 });
});

test("a block after a modify is a block", () => {
  const { fire } = fixture(
    answering("pre_tool_call", { action: "modify", args: { command: "a" } }),
    answering("pre_tool_call", { action: "block", message: "still no" }),
  );
  assert.deepEqual(fire("pre_tool_call"), { kind: "block", message: "still no" });
});

test("contexts are joined by a blank line, in order", async () => {
  const { fire } = fixture(
    makeHook("pre_llm_call", async () => ({ answer: { context: "one" } })),
    answering("pre_llm_call", ""),
    answering("pre_llm_call", "two"),
  );
  assert.deepEqual(await fire("pre_llm_call"), { kind: "context", text: "one\n\ntwo" });
});

test("the first string replaces a tool result, the first non-empty one the model's answer", () => {
  const result = fixture(answering("transform_tool_result", ""), answering("transform_tool_result", "later"));
  assert.deepEqual(result.fire("transform_tool_result"), { kind: "transform", text: "" });
  const output = fixture(answering("transform_llm_output", ""), answering("transform_llm_output", "second"));
  assert.deepEqual(output.fire("transform_llm_output"), { kind: "transform", text: "second" });
});

test("observers side by side are waited for, background ones are not, drain waits for those", async () => {
  const done: string[] = [];
  const gates = { beside: Promise.withResolvers<void>(), background: Promise.withResolvers<void>() };
  const { dispatcher, fire } = fixture(
    makeHook("post_tool_call", async () => (await gates.background.promise, done.push("background"), {}), {
      background: true,
    }),
    makeHook("post_tool_call", async () => (await gates.beside.promise, done.push("slow"), {}), { sideBySide: true }),
    makeHook("post_tool_call", async () => (done.push("quick"), gates.beside.resolve(), {}), { sideBySide: true }),
  );
  await fire("post_tool_call");
  assert.deepEqual(done, ["quick", "slow"]);
  gates.background.resolve();
  await dispatcher.drain();
  assert.deepEqual(done, ["quick", "slow", "background"]);
});

test("a hook taken away does not run, also when that happens while the event is fired", async () => {
  const ran: string[] = [];
  const { dispatcher, fire } = fixture();
  const undo = dispatcher.register(makeHook("post_tool_call", () => (ran.push("a"), undo(), {})));
  dispatcher.register(makeHook("post_tool_call", () => (ran.push("b"), {})));
  await fire("post_tool_call");
  await fire("post_tool_call");
  assert.deepEqual(ran, ["a", "b", "b"]);
});

test("a matcher that throws is treated as a match", async () => {
  const { fire } = fixture(
    answering("pre_tool_call", { action: "block", message: "guarded" }, { matches: () => assert.fail("broken") }),
  );
  assert.equal((await fire("pre_tool_call")).kind, "block");
});

test("an interrupt ends the wait for a hook that hangs", async () => {
  const { dispatcher, runs } = fixture(makeHook("pre_tool_call", () => new Promise(() => {})));
  const interrupt = new AbortController();
  const decision = dispatcher.invoke_hook("pre_tool_call", EVENTS.pre_tool_call.sample(), { signal: interrupt.signal });
  interrupt.abort();
  assert.deepEqual(await decision, { kind: "pass" });
  assert.equal(runs[0]?.outcome, "error");
});

const MISBEHAVIOURS: Record<string, { hook: Partial<Hook>; run: () => Promise<object> | object; outcome: string }> = {
  throws: { hook: {}, run: () => assert.fail("on purpose"), outcome: "error" },
  rejects: { hook: {}, run: () => Promise.reject(new Error("on purpose")), outcome: "error" },
  hangs: { hook: { deadlineSeconds: 0.01 }, run: () => new Promise<object>(() => {}), outcome: "timeout" },
  malformed: { hook: {}, run: () => ({ answer: 42 }), outcome: "error" },
};

for (const event of EVENT_NAMES) {
  const { kind, onFailure } = EVENTS[event];
  for (const [name, { hook, run, outcome }] of Object.entries(MISBEHAVIOURS)) {
    test(`${event}: a hook that ${name} is reported, and the next one runs`, async () => {
      let next = 0;
      const { fire, runs } = fixture(
        makeHook(event, run, { ...hook, name: "bad" }),
        makeHook(event, () => (next++, {})),
      );
      assert.deepEqual(await fire(event), { kind: "pass" });
      assert.equal(next, 1);
      const harmless = kind === "observe" && name === "malformed";
      assert.equal(runs[0]?.outcome, harmless ? "pass" : outcome);
      if (!harmless) assert.match(runs[0]?.detail ?? "", /bad/);
    });

    test(`${event}: a hook marked to block that ${name} ${onFailure === "mark" ? "blocks" : "is skipped"}`, async () => {
      const { fire, runs } = fixture(makeHook(event, run, { ...hook, name: "bad", onFailure: "block" }));
      const decision = await fire(event);
      assert.equal(decision.kind, onFailure === "mark" ? "block" : "pass");
      if (decision.kind === "block") {
        assert.match(decision.message, /bad/);
        assert.deepEqual([runs[0]?.outcome, runs[0]?.cause], ["block", outcome]);
      }
    });
  }
}

test("a synchronous hook that returns after its deadline is treated as timed out", () => {
  const slow = () => {
    const until = performance.now() + 5;
    while (performance.now() < until);
    return { answer: { action: "modify", args: { late: true } } };
  };
  const blocking = fixture(makeHook("pre_tool_call", slow, { deadlineSeconds: 0.001, onFailure: "block" }));
  assert.equal((blocking.fire("pre_tool_call") as Decision).kind, "block");
  assert.equal(blocking.runs[0]?.cause, "timeout");
});

test("what a hook throws may be anything", () => {
  for (const thrown of ["a string", null, 7, Object.create(null), { toString: () => assert.fail("hostile") }]) {
    const { fire, runs } = fixture(
      makeHook("post_tool_call", () => {
        throw thrown;
      }),
    );
    assert.deepEqual(fire("post_tool_call"), { kind: "pass" });
    assert.equal(runs[0]?.outcome, "error");
  }
});
