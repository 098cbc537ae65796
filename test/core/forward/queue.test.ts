import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ForwardQueue, MOST_WAITING } from "#core/forward/queue";

const drain = (queue: ForwardQueue) => {
  const numbers: unknown[] = [];
  for (let event = queue.take(); event !== undefined; event = queue.take()) numbers.push(event.context["n"]);
  return numbers;
};

test("a full queue drops the oldest and counts it", () => {
  const queue = new ForwardQueue();
  for (let n = 0; n < MOST_WAITING + 5; n++) queue.push("a:b", { n });
  assert.equal(queue.waiting, MOST_WAITING);
  assert.equal(queue.dropped, 5);
  assert.deepEqual(
    drain(queue),
    Array.from({ length: MOST_WAITING }, (_, index) => index + 5),
  );
});

test("events that are being sent still count as waiting", () => {
  const queue = new ForwardQueue();
  for (let n = 0; n < MOST_WAITING; n++) queue.push("a:b", { n });
  assert.equal(queue.take()?.context["n"], 0);
  queue.push("a:b", { n: "new" });
  assert.equal(queue.held, MOST_WAITING);
  assert.equal(queue.dropped, 1);
  assert.equal(queue.take()?.context["n"], 2);
  queue.release(2, 1);
  assert.equal(queue.dropped, 2);
  assert.equal(queue.held, MOST_WAITING - 2);
});

test("events that are set aside do not push out others", () => {
  const queue = new ForwardQueue();
  for (let n = 0; n < 64; n++) queue.push("a:b", { n });
  for (let n = 0; n < 64; n++) queue.take();
  queue.setAside(64);
  for (let n = 0; n < MOST_WAITING; n++) queue.push("a:b", { n });
  assert.deepEqual([queue.waiting, queue.held, queue.dropped], [MOST_WAITING, MOST_WAITING + 64, 0]);
  queue.setAside(10);
  queue.release(54);
  assert.deepEqual([queue.held, queue.dropped], [MOST_WAITING + 10, 0]);
  queue.discardAside();
  assert.deepEqual([queue.held, queue.dropped], [MOST_WAITING, 10]);
});

test("an event that left the queue is held no longer", () => {
  const queue = new ForwardQueue();
  for (let n = 0; n < 3 * MOST_WAITING; n++) queue.push("a:b", { n });
  queue.clear();
  assert.equal(queue.dropped, 3 * MOST_WAITING);
  assert.equal(queue.take(), undefined);
});

test("whatever happens to it, the queue is a list that forgets its beginning", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), times: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ kind: fc.constant("take" as const), times: fc.integer({ min: 1, max: 256 }) }),
    fc.record({ kind: fc.constant("release" as const), times: fc.integer({ min: 1, max: 256 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = new ForwardQueue();
      const model: number[] = [];
      let [next, taken, dropped] = [0, 0, 0];
      for (const { kind, times } of steps) {
        for (let turn = 0; turn < times; turn++) {
          if (kind === "push") {
            model.push(next);
            queue.push("a:b", { n: next++ });
            if (model.length + taken > MOST_WAITING) {
              model.shift();
              dropped++;
            }
          } else if (kind === "take" && taken < 512) {
            const expected = model.shift();
            assert.equal(queue.take()?.context["n"], expected);
            if (expected !== undefined) taken++;
          } else if (kind === "release" && taken > 0) {
            queue.release(1);
            taken--;
          }
        }
        assert.deepEqual([queue.waiting, queue.held, queue.dropped], [model.length, model.length + taken, dropped]);
        assert.ok(queue.held <= MOST_WAITING);
      }
      assert.deepEqual(drain(queue), model);
    }),
    { numRuns: 50 },
  );
});
