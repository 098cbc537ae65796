import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ForwardQueue } from "#core/forward/queue";
import type { QueuedEvent } from "#core/forward/queued-event";
import { MOST_WAITING, type MadeFrames, type Outlet } from "#core/forward/outlet";

const numberOf = ({ context }: QueuedEvent) => context["n"];
const numbersOf = (frames: readonly MadeFrames[]) => frames.flatMap(({ events }) => events.map(numberOf));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const EVERYTHING = { frames: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

function fixture(outlets = 1) {
  const queue = new ForwardQueue();
  const all = Array.from({ length: outlets }, () => queue.addOutlet());
  return {
    queue,
    outlets: all,
    outlet: all[0]!,
    push: (from: number, to: number) => range(from, to).forEach((n) => queue.push("a:b", { n })),
  };
}

/** Makes frames of up to so many events. */
function make(queue: ForwardQueue, most: number): void {
  const events: QueuedEvent[] = [];
  for (let event; events.length < most && (event = queue.take()) !== undefined;) events.push(event);
  const texts = events.map(() => "{}");
  const written = { text: texts.join(","), texts, events, frames: texts.length, bytes: 0, lost: 0 };
  for (const outlet of queue.outlets) outlet.add(events, written);
}

/** What the destination has not been given yet. */
function rest(queue: ForwardQueue, outlet: Outlet): unknown[] {
  make(queue, Number.POSITIVE_INFINITY);
  return numbersOf(outlet.take(EVERYTHING));
}

test("a full queue drops the oldest and counts it", () => {
  const { queue, outlet, push } = fixture();
  push(0, MOST_WAITING + 5);
  assert.deepEqual([queue.waiting, outlet.waiting, outlet.dropped], [MOST_WAITING, MOST_WAITING, 5]);
  assert.deepEqual(rest(queue, outlet), range(5, MOST_WAITING + 5));
});

test("events that are being sent still count as waiting", () => {
  const { queue, outlet, push } = fixture();
  push(0, MOST_WAITING);
  make(queue, 1);
  assert.deepEqual(numbersOf(outlet.take(EVERYTHING)), [0]);
  push(MOST_WAITING, MOST_WAITING + 1);
  assert.deepEqual([outlet.held, outlet.dropped], [MOST_WAITING, 1]);
  outlet.release(1, 1);
  assert.deepEqual([outlet.held, outlet.dropped], [MOST_WAITING - 1, 2]);
  assert.deepEqual(rest(queue, outlet), range(2, MOST_WAITING + 1));
});

test("events that are set aside do not push out others", () => {
  const { queue, outlet, push } = fixture();
  push(0, 64);
  const aside = range(0, 64).map(() => queue.take()!);
  queue.setAside(64);
  push(64, 64 + MOST_WAITING + 1);
  assert.deepEqual([outlet.waiting, outlet.held, outlet.dropped], [MOST_WAITING, MOST_WAITING + 64, 1]);
  queue.setAside(0);
  const written = { text: "", texts: aside.map(() => "{}"), events: aside, frames: 64, bytes: 0, lost: 0 };
  outlet.add(aside, written);
  assert.deepEqual([outlet.held, outlet.dropped], [MOST_WAITING + 64, 1]);
  assert.deepEqual(numbersOf(outlet.take(EVERYTHING)), range(0, 64));
});

test("events without a frame are lost, and frames that are put back are the next ones again", () => {
  const { queue, outlet, push } = fixture();
  push(0, 10);
  const taken = [queue.take()!, queue.take()!];
  outlet.add(taken, null);
  assert.deepEqual([outlet.held, outlet.dropped], [8, 2]);
  make(queue, 4);
  outlet.putBack(outlet.take(EVERYTHING));
  assert.deepEqual(outlet.held, 8);
  assert.deepEqual(rest(queue, outlet), range(2, 10));
});

test("a destination that takes nothing neither delays nor loses events of the other one", () => {
  const { queue, outlets, push } = fixture(2);
  const [fast, stuck] = outlets as [Outlet, Outlet];
  push(0, 500);
  make(queue, 500);
  assert.equal(stuck.take(EVERYTHING).length, 500);
  const given = numbersOf(fast.take(EVERYTHING));
  fast.release(500);
  push(500, 500 + MOST_WAITING);
  assert.deepEqual([fast.dropped, stuck.dropped], [0, 500]);
  assert.deepEqual([...given, ...rest(queue, fast)], range(0, 500 + MOST_WAITING));
  assert.deepEqual([stuck.held, numbersOf(stuck.take(EVERYTHING))], [MOST_WAITING, range(1000, 1524)]);
});

test("a removed destination holds up nothing, and what it did not get is counted", () => {
  const { queue, outlets, push } = fixture(2);
  const [kept, removed] = outlets as [Outlet, Outlet];
  push(0, 10);
  make(queue, 4);
  queue.removeOutlet(removed);
  assert.deepEqual([removed.dropped, removed.held], [10, 0]);
  push(10, 12);
  assert.deepEqual([removed.dropped, rest(queue, kept)], [10, range(0, 12)]);
});

test("whatever happens, a destination gets a list that forgets its beginning, and not what came while it was paused", () => {
  const which = fc.integer({ min: 0, max: 1 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), times: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ kind: fc.constant("make" as const), times: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constantFrom("take" as const, "release" as const, "putBack" as const), which }),
    fc.record({ kind: fc.constantFrom("pause" as const, "open" as const), which }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { queue, outlets, push } = fixture(2);
      const models = outlets.map(() => ({
        waiting: [] as number[],
        sending: [] as MadeFrames[],
        dropped: 0,
        open: true,
      }));
      let next = 0;
      for (const one of steps) {
        if (one.kind === "push") {
          push(next, next + one.times);
          for (const model of models.filter(({ open }) => open)) {
            model.waiting.push(...range(next, next + one.times));
            const over = model.waiting.length + model.sending.length - MOST_WAITING;
            if (over > 0) model.dropped += model.waiting.splice(0, over).length;
          }
          next += one.times;
        } else if (one.kind === "make") make(queue, one.times);
        else {
          const [outlet, model] = [outlets[one.which]!, models[one.which]!];
          if (one.kind === "take" && model.sending.length === 0) {
            model.sending = [...outlet.take({ frames: 256, bytes: EVERYTHING.bytes })];
            const given = model.waiting.splice(0, model.sending.length);
            assert.deepEqual(numbersOf(model.sending), given);
          } else if (one.kind === "release") outlet.release(model.sending.splice(0).length);
          else if (one.kind === "putBack") {
            model.waiting.unshift(...(numbersOf(model.sending) as number[]));
            outlet.putBack(model.sending.splice(0));
          } else if (one.kind === "pause" || one.kind === "open") {
            // A paused destination may lose what no longer has room in the queue; that is another test.
            if (one.kind === "pause" && model.waiting.length > 0) continue;
            model.open = one.kind === "open";
            outlet[one.kind]();
          }
        }
        for (const [index, { waiting, sending, dropped }] of models.entries()) {
          const outlet = outlets[index]!;
          const seen = [outlet.waiting, outlet.held, outlet.dropped];
          assert.deepEqual(seen, [waiting.length, waiting.length + sending.length, dropped]);
          assert.ok(outlet.held <= MOST_WAITING);
        }
      }
      for (const [index, { waiting }] of models.entries()) assert.deepEqual(rest(queue, outlets[index]!), waiting);
    }),
    { numRuns: 100 },
  );
});

test("what waited before a pause arrives, unless the queue has no room for it any more", () => {
  const { queue, outlets, push } = fixture(2);
  const [other, paused] = outlets as [Outlet, Outlet];
  push(0, 10);
  paused.pause();
  push(10, 20);
  paused.open();
  push(20, 30);
  assert.deepEqual([paused.waiting, other.waiting], [20, 30]);
  paused.pause();
  push(30, 5 + MOST_WAITING);
  assert.deepEqual([paused.dropped, paused.waiting, other.dropped], [5, 15, 5]);
  assert.deepEqual(rest(queue, paused), [...range(5, 10), ...range(20, 30)]);
});
