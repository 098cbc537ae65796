import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { createLimiter } from "#core/limiter";

/** Tasks that end when the test says so, and the order in which they began. */
function makeTasks(count: number) {
  const begun: number[] = [];
  const gates = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const tasks = gates.map(({ promise }, index) => () => {
    begun.push(index);
    return promise;
  });
  return { begun, gates, tasks };
}

test("at most so many run, the others in the order in which they came", async () => {
  const limiter = createLimiter(2);
  const { begun, gates, tasks } = makeTasks(5);
  const results = tasks.map((task) => limiter.run(task));
  assert.deepEqual(begun, [0, 1], "those that have a place begin at once");
  gates[1]!.resolve(1);
  await turn();
  assert.deepEqual(begun, [0, 1, 2]);
  gates[0]!.resolve(0);
  gates[2]!.resolve(2);
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  gates[3]!.resolve(3);
  gates[4]!.resolve(4);
  assert.deepEqual(await Promise.all(results), [0, 1, 2, 3, 4]);
});

test("a task that fails gives its place up, and whoever gave it learns why", async () => {
  const limiter = createLimiter(1);
  const failures = [
    () => Promise.reject(new Error("rejects")),
    () => {
      throw new Error("throws");
    },
  ];
  for (const fail of failures) {
    const failed = limiter.run(fail);
    const next = limiter.run(() => Promise.resolve("next"));
    await assert.rejects(failed, /rejects|throws/);
    assert.equal(await next, "next");
  }
});

test("idle resolves when nothing runs or waits, immediately if that is already so", async () => {
  const limiter = createLimiter(1);
  await limiter.idle();
  const { gates, tasks } = makeTasks(2);
  const results = tasks.map((task) => limiter.run(task));
  const told: string[] = [];
  const idles = ["one", "two"].map((name) => limiter.idle().then(() => told.push(name)));
  gates[0]!.resolve(0);
  await results[0];
  await turn();
  assert.deepEqual(told, [], "one still runs");
  gates[1]!.resolve(1);
  await Promise.all(idles);
  assert.deepEqual(told, ["one", "two"]);
  const again = limiter.run(() => Promise.resolve());
  await limiter.idle();
  await again;
});

test("whatever comes and however it ends: bounded, in order, none forgotten", async () => {
  const task = fc.record({ turns: fc.nat({ max: 4 }), fails: fc.boolean(), later: fc.nat({ max: 2 }) });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(task, { maxLength: 20 }), async (most, tasks) => {
      const limiter = createLimiter(most);
      const begun: number[] = [];
      let running = 0;
      const failed: Promise<boolean>[] = [];
      for (const [index, { turns, fails, later }] of tasks.entries()) {
        for (let count = 0; count < later; count++) await turn();
        const run = async () => {
          begun.push(index);
          assert.ok(++running <= most, `${running} run`);
          for (let count = 0; count < turns; count++) await turn();
          running--;
          if (fails) throw new RangeError(String(index));
          return index;
        };
        failed.push(
          limiter.run(run).then(
            () => false,
            () => true,
          ),
        );
      }
      await limiter.idle();
      assert.equal(running, 0);
      assert.deepEqual(begun, [...tasks.keys()]);
      assert.deepEqual(
        await Promise.all(failed),
        tasks.map(({ fails }) => fails),
      );
    }),
    { numRuns: 50 },
  );
});
