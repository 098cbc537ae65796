import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { attempt, attemptQuietly, failureOf, type Attempt } from "#core/attempt";
import { HermesError, isHermesError } from "#core/errors";
import { EVENTS } from "#core/events";
import { createFiring } from "#core/firing";
import { NO_REPLY, type Hook, type HookReply } from "#core/ports/hook";
import { makeHook } from "../helpers/hooks.ts";

const FIRING = createFiring("pre_tool_call", EVENTS.pre_tool_call.sample());
const NEVER = new Promise<HookReply>(() => undefined);

const hookThat = (run: Hook["run"], options: Partial<Hook> = {}) =>
  makeHook("pre_tool_call", run, { name: "guard", deadlineSeconds: 30, ...options });
const run = (hook: Hook, signal = new AbortController().signal) => attempt(hook, FIRING, signal, performance.now());
const codeOf = (failure: unknown) => (isHermesError(failure) ? failure.code : failure);

test("a hook that returns is done without a promise; one that gives a promise is waited for", async () => {
  const reply = { answer: { action: "allow" } };
  const now = run(hookThat(() => reply));
  assert.ok(!(now instanceof Promise));
  assert.equal(now.reply, reply);
  assert.equal(now.failure, undefined);
  assert.ok(now.ended >= now.started);
  const later = run(hookThat(() => Promise.resolve(reply)));
  assert.ok(later instanceof Promise);
  const { started, ended, ...rest } = await later;
  assert.deepEqual(rest, { reply, failure: undefined });
  assert.ok(ended >= started);
});

test("the hook gets the firing and the signal", () => {
  const { signal } = new AbortController();
  const given: unknown[] = [];
  const hook = hookThat((...args) => {
    given.push(...args);
    return {};
  });
  void attempt(hook, FIRING, signal, 0);
  assert.deepEqual(given, [FIRING, signal]);
});

const oops = new TypeError("oops");
for (const [what, thrown] of [
  ["an error", oops],
  ["a text", "just words"],
  ["null", null],
  ["undefined", undefined],
] as const) {
  test(`throwing ${what} and rejecting with it are the same failure, and neither goes further`, async () => {
    const throws = run(
      hookThat(() => {
        // oxlint-disable-next-line typescript/only-throw-error -- what hooks throw is theirs to choose
        throw thrown;
      }),
    );
    assert.ok(!(throws instanceof Promise));
    const rejects = await run(hookThat(() => Promise.reject(thrown)));
    for (const { reply, failure } of [throws, rejects]) {
      assert.equal(reply, undefined);
      if (thrown === null || thrown === undefined) assert.match(String(failure), /failed without giving a reason/);
      else assert.equal(failure, thrown);
    }
  });
}

test("a promise that does not settle is given up at the deadline, whatever becomes of it later", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { signal } = new AbortController();
  const pending = Promise.withResolvers<HookReply>();
  const running = run(
    hookThat(() => pending.promise, { deadlineSeconds: 7 }),
    signal,
  );
  assert.equal(getEventListeners(signal, "abort").length, 1);
  assert.ok(running instanceof Promise);
  let settled = false;
  void running.then(() => (settled = true));
  t.mock.timers.tick(6999);
  await turn();
  assert.equal(settled, false);
  t.mock.timers.tick(1);
  const { reply, failure } = await running;
  assert.equal(reply, undefined);
  assert.equal(codeOf(failure), "HERMES_HOOK_TIMEOUT");
  assert.match(String(failure), /"guard".*7 s.*never settles/);
  assert.equal(getEventListeners(signal, "abort").length, 0, "nothing is left at the signal");
  // A rejection that nobody took care of would end this process.
  pending.reject(new Error("too late"));
});

test("a hook without a deadline is waited for as long as it takes, also past an interrupt", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const pending = Promise.withResolvers<HookReply>();
  const running = run(
    hookThat(() => pending.promise, { deadlineSeconds: null }),
    AbortSignal.abort(),
  );
  t.mock.timers.tick(2 ** 31);
  pending.resolve({ answer: "late" });
  assert.deepEqual((await running).reply, { answer: "late" });
});

test("a hook that returns after its deadline has timed out, and its answer is ignored", () => {
  const slow = () => {
    const end = performance.now() + 2;
    while (performance.now() < end);
    return { answer: "slow" };
  };
  const late = run(hookThat(slow, { deadlineSeconds: 0.001 }));
  assert.ok(!(late instanceof Promise));
  assert.equal(codeOf(late.failure), "HERMES_HOOK_TIMEOUT");
  assert.match(String(late.failure), /blocked the event loop/);
  assert.equal(late.reply, undefined);
  const lateAndAsync = run(hookThat(async () => slow(), { deadlineSeconds: 0.001 }));
  assert.ok(!(lateAndAsync instanceof Promise));
  assert.equal(codeOf(lateAndAsync.failure), "HERMES_HOOK_TIMEOUT");
  const unbounded = run(hookThat(slow, { deadlineSeconds: null }));
  assert.ok(!(unbounded instanceof Promise));
  assert.equal(unbounded.failure, undefined);
});

test("a reply that says nothing is only the moment of its end, if it comes in time", () => {
  const quiet = (hook: Hook) => attemptQuietly(hook, FIRING, new AbortController().signal, performance.now());
  const silent = hookThat(() => NO_REPLY);
  assert.equal(typeof quiet(silent), "number");
  const { started, ended, ...rest } = run(silent) as Attempt;
  assert.deepEqual(rest, { reply: NO_REPLY, failure: undefined });
  assert.ok(ended >= started);
  const late = quiet(hookThat(() => NO_REPLY, { deadlineSeconds: -1 }));
  assert.equal(codeOf((late as Attempt).failure), "HERMES_HOOK_TIMEOUT");
});

test("an interrupt ends the wait, one that came before as well", async () => {
  for (const before of [true, false]) {
    const controller = new AbortController();
    if (before) controller.abort();
    const running = run(
      hookThat(() => NEVER),
      controller.signal,
    );
    controller.abort();
    const { failure } = await running;
    assert.equal(codeOf(failure), "HERMES_HOOK_INTERRUPTED");
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  }
});

test("a failure is the error that was thrown if it is ours, else one that names the hook and keeps what it threw", () => {
  const hook = hookThat(() => ({}));
  const own = new HermesError("HERMES_HOOK_INTERRUPTED", { source: "plugin", name: "guard", event: "pre_tool_call" });
  assert.equal(failureOf(hook, FIRING, own), own);
  const error = failureOf(hook, FIRING, oops);
  assert.equal(error.code, "HERMES_HOOK_THREW");
  assert.equal(error.cause, oops);
  assert.match(error.message, /"guard".*pre_tool_call.*oops/);
  const alike = { name: "HermesError", code: "HERMES_INTERNAL" };
  for (const thrown of ["words", 7, alike, Symbol("s"), Object.create(null), new Proxy({}, hostile)]) {
    assert.equal(failureOf(hook, FIRING, thrown).code, "HERMES_HOOK_THREW");
  }
});

/** Throws at whatever is asked of it. */
const hostile: ProxyHandler<object> = {
  get: () => assert.fail("do not look"),
  getPrototypeOf: () => assert.fail("do not look"),
  has: () => assert.fail("do not look"),
};
