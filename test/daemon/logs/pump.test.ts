/** The queue before a destination, whatever that does. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { LogPump, type PumpBounds } from "#daemon/logs/pump";
import { LaterError, RefusedError, type Sink } from "#daemon/logs/sink";
import { until } from "../../helpers/poll.ts";

const QUICK: Partial<PumpBounds> = { firstPause: 1, longestPause: 5, report: 20 };

interface FakeSink extends Sink {
  readonly batches: string[][];
  answer: (lines: readonly string[], signal: AbortSignal) => Promise<number> | number;
  closed: boolean;
  reopened: number;
}

function fakeSink(): FakeSink {
  const sink: FakeSink = {
    batches: [],
    closed: false,
    reopened: 0,
    answer: (lines) => lines.length,
    async send(lines, signal) {
      const sent = await sink.answer(lines, signal);
      sink.batches.push(lines.slice(0, sent));
      return sent;
    },
    reopen: () => void sink.reopened++,
    [Symbol.asyncDispose]: async () => void (sink.closed = true),
  };
  return sink;
}

function open(t: TestContext, options: { batch?: number; intervalMs?: number; bounds?: Partial<PumpBounds> } = {}) {
  const sink = fakeSink();
  const said: string[] = [];
  const pump = new LogPump({
    sink,
    batch: options.batch ?? 100,
    intervalMs: options.intervalMs ?? 0,
    say: (level, clause) => void said.push(`${level} ${clause}`),
    bounds: { ...QUICK, ...options.bounds },
  });
  t.after(() => pump.drain(1000));
  return { sink, pump, said, sent: () => sink.batches.flat() };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`);

test("lines are sent in their order, those of one moment together, at most a batch at once", async (t) => {
  const { pump, sink, sent } = open(t, { batch: 4 });
  for (const line of numbered(10)) pump.push(line);
  await until(() => sent().length === 10, "all lines are sent");
  assert.deepEqual(sent(), numbered(10));
  assert.deepEqual(
    sink.batches.map(({ length }) => length),
    [4, 4, 2],
  );
});

test("lines wait for others until there is a batch, the time is over, or the end", async (t) => {
  const full = open(t, { batch: 3, intervalMs: 3_600_000 });
  for (const line of numbered(4)) full.pump.push(line);
  await until(() => full.sent().length === 3, "a full batch is sent");
  await full.pump.drain(1000);
  assert.deepEqual(full.sent(), numbered(4));
  const timed = open(t, { batch: 3, intervalMs: 5 });
  timed.pump.push("alone");
  await until(() => timed.sent().length === 1, "the interval is over");
});

test("a sink may take fewer lines; the rest follows", async (t) => {
  const { pump, sink, sent } = open(t);
  sink.answer = (lines) => Math.min(lines.length, 2);
  for (const line of numbered(5)) pump.push(line);
  await until(() => sent().length === 5, "all lines are sent");
  assert.deepEqual(sent(), numbered(5));
});

test("what fails is tried again without loss; it is said once, and that it works again", async (t) => {
  const { pump, sink, said, sent } = open(t);
  let attempts = 0;
  sink.answer = (lines) => {
    if (++attempts <= 5) throw new Error("down");
    return lines.length;
  };
  for (const line of numbered(3)) pump.push(line);
  await until(() => sent().length === 3, "the lines are sent in the end");
  await until(() => said.length === 2, "both are said");
  assert.equal(attempts, 6);
  assert.deepEqual(said, ["warn cannot be sent and will be tried again: down", "info are sent again"]);
});

test("an attempt that hangs is broken off and tried again", async (t) => {
  const { pump, sink, said, sent } = open(t, { bounds: { attempt: 10 } });
  let attempts = 0;
  sink.answer = (lines, signal) => {
    if (++attempts > 1) return lines.length;
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  };
  pump.push("one");
  await until(() => sent().length === 1, "the second attempt is made");
  assert.match(said[0]!, /no answer within 0.01 s/);
});

test("what is refused is dropped and said, and the next lines are sent", async (t) => {
  const { pump, sink, said, sent } = open(t, { batch: 2 });
  sink.answer = (lines) => {
    if (lines.includes("bad")) throw new RefusedError("the server answered 400");
    return lines.length;
  };
  for (const line of ["bad", "with it", "good"]) pump.push(line);
  await until(() => sent().length === 1, "the good line is sent");
  assert.deepEqual(sent(), ["good"]);
  assert.deepEqual(said, ["warn were dropped: 2 (the server answered 400)"]);
});

test("a server's wish to wait is respected", async (t) => {
  const { pump, sink, sent } = open(t);
  const times: number[] = [];
  sink.answer = (lines) => {
    times.push(performance.now());
    if (times.length === 1) throw new LaterError("busy", 60);
    return lines.length;
  };
  pump.push("one");
  await until(() => sent().length === 1, "it is sent later");
  assert.ok(times[1]! - times[0]! >= 55, `waited ${times[1]! - times[0]!} ms`);
});

test("the queue is bounded in lines and characters; drops are counted, said at once and then together", async (t) => {
  const { pump, sink, said, sent } = open(t, { bounds: { mostLines: 3, mostCharacters: 1000 } });
  const release = Promise.withResolvers<void>();
  sink.answer = async (lines) => {
    await release.promise;
    return lines.length;
  };
  for (const line of numbered(10)) pump.push(line);
  assert.deepEqual(said, ["warn were dropped: 1 (too many lines are waiting)"]);
  await until(() => said.length === 2, "the others are said together");
  assert.equal(said[1], "warn were dropped: 6 (too many lines are waiting)");
  release.resolve();
  await until(() => sent().length === 3, "what was kept is sent");
  pump.push("x".repeat(1001));
  await until(() => said.length === 3, "the long line is dropped");
  await pump.drain(1000);
  assert.deepEqual(sent(), numbered(3));
});

test("the end waits for what can be sent, not for what cannot, and says what is lost", async (t) => {
  const good = open(t);
  good.pump.push("last words");
  await good.pump.drain(1000);
  assert.deepEqual([good.sent(), good.sink.closed, good.said], [["last words"], true, []]);

  const down = open(t, { bounds: { firstPause: 3_600_000, longestPause: 3_600_000 } });
  down.sink.answer = () => {
    throw new Error("down");
  };
  down.pump.push("lost");
  await until(() => down.said.length === 1, "it is down");
  await down.pump.drain(3_600_000);
  assert.match(down.said[1]!, /were dropped: 1 \(they could not be sent before the end\)/);

  const hanging = open(t);
  hanging.sink.answer = (_lines, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  hanging.pump.push("lost");
  await hanging.pump.drain(20);
  assert.equal(hanging.sink.closed, true);
  assert.match(hanging.said[0]!, /were dropped: 1/);
});

test("reopening is passed on, and tries at once what waits after a failure", async (t) => {
  const { pump, sink, said, sent } = open(t, { bounds: { firstPause: 3_600_000, longestPause: 3_600_000 } });
  let isDown = true;
  sink.answer = (lines) => {
    if (isDown) throw new Error("down");
    return lines.length;
  };
  pump.push("one");
  await until(() => said.length === 1, "it is down");
  isDown = false;
  pump.reopen();
  await until(() => sent().length === 1, "it is tried at once");
  assert.equal(sink.reopened, 1);
});
