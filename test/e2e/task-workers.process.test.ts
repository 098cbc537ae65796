/** Several workers on one home: none runs a task twice, together they keep to the limit. */
import assert from "node:assert/strict";
import test from "node:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home, Running } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { statusOf, storedStatuses, submitTask, taskBecomes, taskHome, tasksOf } from "../helpers/tasks.ts";

async function hasSucceeded(home: Home, total: number): Promise<boolean> {
  const statuses = storedStatuses(home)?.values() ?? (await tasksOf(home)).map(({ status }) => status);
  return [...statuses].filter((status) => status === "succeeded").length === total;
}

for (const [count, most] of [
  [2, 4],
  [5, 3],
] as const) {
  test(`${count} workers run each task once, and ${most} at a time in all`, async (t) => {
    const home = taskHome(t, { background: { max_concurrent: most }, sandbox: { tools: "off" } });
    mkdirSync(join(home.work, "ran"));
    // A folder for each run, made by mkdir, which fails for the second one; and the number of those that run with it.
    writeFileSync(
      join(home.work, "task.sh"),
      `mkdir ran/$1 || mkdir ran/$1.twice
mkdir running.$1
ls -d running.* | wc -l >> together
sleep 0.2
rmdir running.$1
`,
    );
    const workers: Running[] = [];
    for (let number = 0; number < count; number++) workers.push(home.start(["worker"]));
    await Promise.all(workers.map((worker) => worker.sees("The worker is ready")));
    const total = 8;
    const numbers = Array.from({ length: total }, (_, number) => number);
    await Promise.all(numbers.map((number) => submitTask(home, `run \`sh ./task.sh ${number}\``)));
    await until(() => hasSucceeded(home, total), "all have succeeded", {
      withinMs: 100_000,
      seen: () => readdirSync(home.work),
    });
    const ran = readdirSync(join(home.work, "ran")).map(Number);
    assert.deepEqual(
      ran.toSorted((left, right) => left - right),
      numbers,
    );
    const together = readFileSync(join(home.work, "together"), "utf8").trim().split("\n").map(Number);
    assert.equal(together.length, total);
    assert.ok(Math.max(...together) <= most, `${together.join(" ")} ran together`);
    for (const { attempt } of await tasksOf(home)) assert.equal(attempt, 1);
    for (const worker of workers) worker.kill("SIGTERM");
    await Promise.all(workers.map(({ ended }) => ended));
  });
}

test("a worker that ends leaves the tasks of another one alone, and its own are taken by it", async (t) => {
  const home = taskHome(t, { background: { max_concurrent: 1 } });
  const first = home.start(["worker"]);
  await first.sees("The worker is ready");
  const id = await submitTask(home, "run `sleep 600`");
  await taskBecomes(home, id, "running");
  const second = home.start(["worker"]);
  await second.sees("The worker is ready");
  const next = await submitTask(home, "run `echo next`");
  second.kill("SIGTERM");
  await second.ended;
  assert.deepEqual([(await statusOf(home, id)).status, (await statusOf(home, next)).position], ["running", 1]);
  const third = home.start(["worker"]);
  await third.sees("The worker is ready");
  first.kill("SIGKILL");
  await first.ended;
  await until(async () => (await statusOf(home, id)).attempt === 2, "the third worker runs it again");
  assert.equal((await home.run(["tasks", "cancel", id])).code, 0);
  assert.equal((await home.run(["tasks", "wait", next])).code, 0);
  third.kill("SIGTERM");
  await third.ended;
});
