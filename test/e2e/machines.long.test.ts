/** Two machines with one PostgreSQL under kill -9, a database that is away, and a network that is cut. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Task } from "#core/ports/tasks";
import { startCuttable } from "../helpers/cuttable.ts";
import type { Home } from "../helpers/hermes.ts";
import { checkDeliveries, deliveriesOf, startWorker, type MachineWorker } from "../helpers/machines.ts";
import { until } from "../helpers/poll.ts";
import { PostgresServer } from "../helpers/postgres.ts";
import { pidIn } from "../helpers/processes.ts";
import { randomNumbers } from "../helpers/random.ts";
import { startReceiver, type Receiver } from "../helpers/receiver.ts";
import { untilSettled } from "../helpers/task-kills.ts";
import { statusOf, submitTask, taskHome, tasksOf } from "../helpers/tasks.ts";

/** Fewer while one develops. */
const ROUNDS = Number(process.env["MACHINES_ROUNDS"] ?? 20);
const TASKS_A_ROUND = 2;
const LONGEST_ROUND_MS = 4000;
/** More than the lease of a task, after which it is taken up elsewhere. */
const TAKEN_UP_MS = 180_000;
const AWAY_MS = 30_000;

/** A home with this database whose tasks tell the receiver of their start and end. */
function machine(t: TestContext, storage: string, { url }: Receiver): Home {
  const events = ["task_started", "task_completed", "task_failed"];
  const endpoints = Object.fromEntries(events.map((event) => [event, { url }]));
  const webhooks = { retry: { max_attempts: 50, initial_delay: 100 }, endpoints };
  return taskHome(t, { storage, sandbox: { tools: "off" }, background: { max_concurrent: 3 }, webhooks });
}

test("kill -9 of workers and the server at random loses nothing, and repeats nothing that is not marked", async (t) => {
  const seed = Number(process.env["MACHINES_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`MACHINES_SEED=${seed} repeats the choices`);
  const random = randomNumbers(seed);
  await using server = await PostgresServer.start({ settings: ["max_connections=300"] });
  const storage = await server.createDatabase();
  const receiver = await startReceiver(t);
  receiver.answer = (_request, response) => void setTimeout(() => response.end(), 20);
  const homes = [machine(t, storage, receiver), machine(t, storage, receiver)] as const;
  const runs = join(homes[0].work, "runs.txt");
  const start = (home: Home) => startWorker(t, home);
  const workers: MachineWorker[] = homes.map(start);
  await Promise.all(workers.map((worker) => worker.ready()));

  const promised: string[] = [];
  const killed = { worker: 0, server: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const submitting = Array.from({ length: TASKS_A_ROUND }, (_, number) => {
      const mark = `round-${round}-${number}`;
      const home = homes[random() < 0.5 ? 0 : 1];
      return home.run(["run", "--background", `run \`echo ${mark} >> ${runs}; sleep 0.${Math.floor(random() * 9)}\``]);
    });
    await pause(LONGEST_ROUND_MS * random());
    const victim = Math.floor(random() * 3);
    if (victim === 2) {
      killed.server++;
      await server.kill();
      await pause(1000 * random());
      await server.run();
    } else {
      killed.worker++;
      await workers[victim]!.kill();
      workers[victim] = start(homes[victim as 0 | 1]);
    }
    // A command during which the server was killed says that it failed, and promises nothing.
    for (const { code, stdout, stderr } of await Promise.all(submitting)) {
      assert.ok(code === 0 || code === 1, stderr);
      if (code === 0) promised.push(/^[a-z0-9]{16}(?=\n$)/.exec(stdout)?.[0] ?? assert.fail(stdout));
    }
  }
  const tasks = await settled(homes[0]);
  const again = tasks.filter(({ attempt }) => attempt > 1).length;
  const lost = tasks.filter(({ status }) => status === "lost").length;
  t.diagnostic(`killed ${killed.worker} workers, ${killed.server} servers; ${tasks.length} tasks, ${again} run again`);
  t.diagnostic(`${lost} lost after two attempts, ${receiver.received.length} requests`);

  const ids = new Set(tasks.map(({ id }) => id));
  assert.deepEqual(
    promised.filter((id) => !ids.has(id)),
    [],
    "each id that was printed is a task",
  );
  const ran = readFileSync(runs, "utf8").trim().split("\n");
  for (const task of tasks) {
    const isLost = task.status === "lost" && task.ended_by === "crash" && task.attempt === 2;
    assert.ok(isLost || task.status === "succeeded", JSON.stringify(task));
    const mark = /round-\d+-\d+/.exec(task.prompt)![0];
    const times = ran.filter((line) => line === mark).length;
    assert.ok(times <= task.attempt && (isLost || times > 0), `ran ${times} times: ${JSON.stringify(task)}`);
  }
  checkDeliveries(receiver, tasks, await deliveriesOf(homes[1]));
  const integrity = `SELECT count(*)::int AS left FROM hermes_queue.job WHERE state < 'completed'`;
  assert.deepEqual(await server.query(integrity, new URL(storage).pathname.slice(1)), [{ left: 0 }]);
});

test("a task goes on while the database is away for 30 s, and its end is stored and told once", async (t) => {
  await using server = await PostgresServer.start();
  const receiver = await startReceiver(t);
  const home = machine(t, await server.createDatabase(), receiver);
  const worker = startWorker(t, home);
  await worker.ready();
  const [started, ended] = ["started", "ended"].map((name) => join(home.work, name)) as [string, string];
  // One ends while it is away, the other after that.
  const short = await submitTask(home, "run `sleep 10`");
  const long = await submitTask(home, `run \`echo $$ > ${started}; sleep 35; touch ${ended}\``);
  await pidIn(started);
  await until(async () => (await statusOf(home, short)).status === "running", "both run");
  await server.stop();
  await pause(AWAY_MS);
  await server.run();
  const tasks = await settled(home);
  assert.ok(existsSync(ended));
  for (const task of tasks) assert.deepEqual([task.status, task.attempt], ["succeeded", 1], JSON.stringify(task));
  assert.deepEqual(new Set(tasks.map(({ id }) => id)), new Set([short, long]));
  checkDeliveries(receiver, tasks, await deliveriesOf(home));
});

test("a task whose machine is cut off for longer than its lease runs elsewhere, and is not told twice", async (t) => {
  await using server = await PostgresServer.start();
  const storage = await server.createDatabase();
  const receiver = await startReceiver(t);
  const proxy = await startCuttable(t, server.port);
  const near = machine(t, storage, receiver);
  const name = new URL(storage).pathname.slice(1);
  const far = machine(t, server.urlOf(name, { port: Number(new URL(proxy.url).port) }), receiver);
  const cutOff = startWorker(t, far);
  await cutOff.ready();
  const [first, second] = ["first", "second"].map((file) => join(near.work, file)) as [string, string];
  // The first attempt would end long after the second one.
  const id = await submitTask(near, `run \`mkdir ${first} && sleep 600; touch ${second}\``);
  await until(() => existsSync(first), "its first attempt runs");
  const running = await statusOf(near, id);
  assert.deepEqual([running.status, running.attempt], ["running", 1]);
  const elsewhere = startWorker(t, near);
  await elsewhere.ready();
  proxy.hang();
  const [task] = await settled(near);
  assert.deepEqual([task!.id, task!.status, task!.attempt], [id, "succeeded", 2]);
  assert.ok(existsSync(second));
  await until(() => !isRunning(first), "the first attempt is interrupted");
  // What the first attempt has to say arrives late.
  proxy.mend();
  const later = await submitTask(near, "run `true`");
  const tasks = await settled(near);
  assert.deepEqual(
    tasks.map(({ id: each, status }) => [each, status]),
    [
      [later, "succeeded"],
      [id, "succeeded"],
    ],
  );
  checkDeliveries(receiver, tasks, await deliveriesOf(near));
});

/** Waits until every task has ended and every delivery was sent; gives the tasks. */
async function settled(home: Home): Promise<readonly Task[]> {
  await untilSettled(home, TAKEN_UP_MS);
  return tasksOf(home);
}

/** True while a process runs whose command has the text in it, on whatever machine of these. */
function isRunning(text: string): boolean {
  const commands = globSync("/proc/[0-9]*/cmdline").map((file) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      // It has ended meanwhile.
      return "";
    }
  });
  return commands.some((command) => command.includes(text));
}
