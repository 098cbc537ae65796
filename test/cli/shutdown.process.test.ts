// In a process of its own: signals are emitted, and packages that listen to them in shared processes end the program.
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { createShutdown, interruptible, onHangup, onStopSignal, untilStopped } from "#cli/shutdown";

/** A clock that the test moves, and the exit codes with which the program would have ended. */
function bench(t: TestContext) {
  const clock = { now: 0 };
  const exits: (number | string | null | undefined)[] = [];
  t.mock.method(performance, "now", () => clock.now);
  t.mock.method(process, "exit", ((code) => void exits.push(code)) as typeof process.exit);
  const before = process.listeners("SIGINT");
  t.after(() => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      for (const listener of process.listeners(signal)) {
        if (!before.includes(listener)) process.off(signal, listener);
      }
    }
  });
  return { clock, exits };
}

test("signals have their exit codes, until nobody listens any more", () => {
  const codes: number[] = [];
  const unlisten = onStopSignal((code) => codes.push(code));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.emit(signal, signal);
  unlisten();
  assert.deepEqual(codes, [130, 143, 143]);
  assert.equal(process.emit("SIGHUP", "SIGHUP"), false);
});

test("the first signal stops; what comes within a second is the same one, a later one cuts the drain", async (t) => {
  const { clock } = bench(t);
  const cuts: number[] = [];
  const stopped = untilStopped((code) => cuts.push(code));
  process.emit("SIGTERM", "SIGTERM");
  await stopped;
  clock.now = 1000;
  process.emit("SIGINT", "SIGINT");
  assert.deepEqual(cuts, []);
  clock.now = 1001;
  process.emit("SIGINT", "SIGINT");
  assert.deepEqual(cuts, [130]);
});

test("the closing hooks have five seconds, the program a little more, and the first code wins", (t) => {
  const { clock, exits } = bench(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const shutdown = createShutdown();
  assert.equal(shutdown.code, undefined);
  shutdown.request(143);
  clock.now = 500;
  shutdown.request(130);
  assert.deepEqual([shutdown.code, shutdown.signal.aborted, exits], [143, false, []]);
  t.mock.timers.tick(5000);
  assert.deepEqual([shutdown.signal.aborted, exits], [true, []]);
  t.mock.timers.tick(1500);
  assert.deepEqual(exits, [143]);
  clock.now = 1501;
  shutdown.request(130);
  assert.deepEqual(exits, [143, 130]);
});

test("Ctrl+C aborts interruptible work once, and is then back to what it was", async () => {
  const before = process.listenerCount("SIGINT");
  const result = await interruptible(async (signal) => {
    process.emit("SIGINT", "SIGINT");
    assert.equal(process.listenerCount("SIGINT"), before);
    return signal.aborted;
  });
  assert.equal(result, true);
  await assert.rejects(
    interruptible(() => Promise.reject(new Error("no"))),
    /^Error: no$/,
  );
  assert.equal(process.listenerCount("SIGINT"), before);
});

test("whoever takes SIGHUP gets it instead, until that is undone", () => {
  const seen: string[] = [];
  const unlisten = onStopSignal((code) => seen.push(`stop ${code}`));
  const untake = onHangup(() => seen.push("taken"));
  process.emit("SIGHUP", "SIGHUP");
  process.emit("SIGTERM", "SIGTERM");
  untake();
  process.emit("SIGHUP", "SIGHUP");
  unlisten();
  assert.deepEqual(seen, ["taken", "stop 143", "stop 143"]);
});
