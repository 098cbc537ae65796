import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { rejectLate, untilAborted, withDeadline } from "#core/deadline";

const never = new Promise<never>(() => undefined);

test("a value, a failure and a timeout are distinguished", async () => {
  assert.deepEqual(await withDeadline(10_000, () => 1), { kind: "value", value: 1 });
  assert.deepEqual(await withDeadline(10_000, async () => turn(2)), { kind: "value", value: 2 });
  const error = new Error("no");
  assert.deepEqual(await withDeadline(10_000, () => Promise.reject(error)), { kind: "thrown", error });
  const thrower = () => {
    throw error;
  };
  assert.deepEqual(await withDeadline(10_000, thrower), { kind: "thrown", error });
  assert.deepEqual(await withDeadline(1, () => never), { kind: "late" });
});

test("a failure after the deadline is ignored", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  assert.deepEqual(await withDeadline(1, () => promise), { kind: "late" });
  reject(new Error("too late"));
  // An unhandled rejection would fail the run within this turn.
  await turn();
});

test("no timer is left when the work has ended", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  await withDeadline(10_000, () => 1);
  assert.equal(timers(), before);
});

test("a wait may keep the program running or not", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const { promise, resolve } = Promise.withResolvers<void>();
  const unreferenced = withDeadline(10_000, () => promise, { keepsAlive: false });
  assert.equal(timers(), before);
  const referenced = withDeadline(10_000, () => promise);
  assert.equal(timers(), before + 1);
  resolve();
  await Promise.all([unreferenced, referenced]);
});

test("one that must be in time rejects with its sentence", async () => {
  const late = { ms: 1, sentence: "it did not end" };
  assert.equal(await rejectLate(5, late), 5);
  await assert.rejects(rejectLate(Promise.reject(new Error("no")), late), /^Error: no$/);
  await assert.rejects(rejectLate(never, late), /^Error: it did not end$/);
});

test("an abort ends a wait after its grace, at once when it came before; work that ends first leaves nothing behind", async () => {
  const stop = new AbortController();
  const order: string[] = [];
  const note = (what: string) => void order.push(what);
  const patient = untilAborted(stop.signal, 20, never).then(() => note("patient"));
  const prompt = untilAborted(stop.signal, 0, never).then(() => note("prompt"));
  await untilAborted(stop.signal, 0, Promise.resolve()).then(() => note("ended"));
  stop.abort();
  await Promise.all([patient, prompt]);
  assert.deepEqual(order, ["ended", "prompt", "patient"]);
  await untilAborted(stop.signal, 0, never);
  await assert.rejects(untilAborted(new AbortController().signal, 0, Promise.reject(new Error("no"))), /^Error: no$/);
});
