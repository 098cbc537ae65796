/** What a store of counters promises, whatever its engine, and what tasks and deliveries add to it. */
import assert from "node:assert/strict";
import test from "node:test";
import { MOST_TOOLS, type Count, type CounterName, type CounterStore } from "#core/ports/counters";
import type { TaskStatus } from "#core/ports/tasks";
import type { StorageEngine } from "../../../helpers/storages.ts";
import { NEW_TASK } from "./new-task.ts";

/** What was counted under a name, as `label,label: amount`. */
async function amounts(counters: CounterStore, name: CounterName): Promise<Record<string, number>> {
  const counts = (await counters.read()).filter((count) => count.name === name);
  return Object.fromEntries(counts.map(({ labels, amount }) => [labels.join(","), amount]));
}

const WORKER = { pid: 1, start: "1" };

/** Runs the cases on an engine. */
export function counterCases(engine: StorageEngine): void {
  test("amounts of the same labels are added up, whatever the labels hold", async () => {
    const bench = await engine.open();
    const { counters } = bench.storage;
    const odd = ['quote " and \\', "line\nbreak", "delivered"];
    const count: Count = { name: "hook_runs", labels: odd, amount: 2 };
    await counters.add([count, { ...count, amount: 0.5 }]);
    await counters.add([count]);
    assert.deepEqual(await counters.read(), [{ ...count, amount: 4.5 }]);
  });

  test("beyond 100 tools, further ones are counted as other", async () => {
    const bench = await engine.open();
    const { counters } = bench.storage;
    const calls = (tool: number): Count => ({ name: "tool_calls", labels: [`tool-${tool}`], amount: 1 });
    await counters.add(Array.from({ length: MOST_TOOLS + 20 }, (_, tool) => calls(tool)));
    await counters.add([calls(0), calls(MOST_TOOLS + 1)]);
    const counted = await amounts(counters, "tool_calls");
    assert.equal(Object.keys(counted).length, MOST_TOOLS + 1);
    assert.equal(counted["other"], 21);
    assert.equal(counted["tool-0"], 2);
  });

  test("the end of a task is counted by its status, with its duration, and removing the task lowers nothing", async () => {
    const bench = await engine.open();
    const { clock } = bench;
    const { tasks, counters } = bench.storage;
    const ends: [Exclude<TaskStatus, "queued" | "running">, number][] = [
      ["succeeded", 3],
      ["failed", 3],
      ["timeout", 3],
      ["lost", 3],
      ["cancelled", 100],
    ];
    for (const [status, seconds] of ends) {
      const { id } = await tasks.submit(NEW_TASK);
      await tasks.claim(WORKER, { most: 9 });
      clock.now += seconds * 1000;
      const result = { status, exit_code: 0, ended_by: "task", error: null } as const;
      assert.equal(await tasks.end(id, 1, result, () => []), true);
      assert.equal(await tasks.end(id, 1, result, () => []), false, "ended once only");
    }
    const { id } = await tasks.submit(NEW_TASK);
    await tasks.cancel(id);
    await tasks.prune(-1);
    assert.deepEqual(await amounts(counters, "tasks"), { cancelled: 2, completed: 1, failed: 3 });
    assert.deepEqual(await amounts(counters, "task_seconds"), { "5": 4, "120": 1 }, "one never ran");
    assert.deepEqual(await amounts(counters, "task_seconds_sum"), { "": 112 });
  });

  test("tokens and calls of each attempt are counted once, those of an attempt that is run again, too", async () => {
    const bench = await engine.open();
    const { tasks, counters } = bench.storage;
    const { id } = await tasks.submit(NEW_TASK);
    await tasks.claim(WORKER, { most: 9 });
    await tasks.record(id, 1, { session_id: "s", tokens_used: 10, tools_called: 2, calls: { terminal: 2 } });
    await tasks.record(id, 1, { session_id: "s", tokens_used: 15, tools_called: 3, calls: { patch: 1 } });
    await tasks.putBack(id, 1, "crash");
    await tasks.record(id, 1, { session_id: "s", tokens_used: 99, tools_called: 9, calls: { patch: 9 } });
    await tasks.claim(WORKER, { most: 9 });
    await tasks.record(id, 2, { session_id: "s", tokens_used: 7, tools_called: 1, calls: { terminal: 1 } });
    assert.deepEqual(await amounts(counters, "tokens"), { "": 22 });
    assert.deepEqual(await amounts(counters, "tool_calls"), { patch: 1, terminal: 3 });
    assert.deepEqual(await amounts(counters, "tasks"), {}, "it has not ended");
  });
}

/** What deliveries add to the counters. */
export function deliveryCounterCases(engine: StorageEngine): void {
  test("a delivery is counted when it is delivered, fails, or its endpoint is off", async () => {
    const bench = await engine.open();
    const { deliveries, counters } = bench.storage;
    const of = (endpoint: string) => ({ event: "e", endpoint, payload: "{}" });
    const ids = await deliveries.add([of("a"), of("a"), of("b"), of("b"), of("b")]);
    const attempt = { at: "2026-11-29T12:00:00.000Z", status: 200, error: null, duration_ms: 1 };
    await deliveries.finish([
      { id: ids[0]!, attempt, next: { kind: "delivered" } },
      { id: ids[1]!, attempt, next: { kind: "failed" } },
      { id: ids[2]!, attempt, next: { kind: "again", inMs: 10, counts: true } },
      { id: ids[3]!, attempt, next: { kind: "gone" } },
    ]);
    await deliveries.add([of("b")]);
    const counted = { "a,delivered": 1, "a,failed": 1, "b,failed": 1, "b,disabled": 3 };
    assert.deepEqual(await amounts(counters, "deliveries"), counted);
    await deliveries.add([of("c")]);
    const { pending, oldest } = await deliveries.backlog();
    assert.deepEqual([pending, oldest], [1, "2026-11-29T12:00:00.000Z"]);
    const later = new Date(Date.parse("2026-12-29T12:00:00Z"));
    await deliveries.prune({ ended: later, created: later });
    assert.deepEqual(await amounts(counters, "deliveries"), { ...counted, "c,failed": 1 });
    assert.deepEqual(await deliveries.backlog(), { pending: 0, oldest: null });
  });
}
