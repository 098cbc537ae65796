/** Kills processes of a home at random moments while they submit, run and deliver, and checks that nothing is lost. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Task } from "#core/ports/tasks";
import type { Home, Running } from "./hermes.ts";
import { until } from "./poll.ts";
import { killQuietly } from "./processes.ts";
import { randomNumbers } from "./random.ts";
import { startReceiver, type Receiver } from "./receiver.ts";
import { deliveriesOf } from "./machines.ts";
import { storedStatuses, taskHome, tasksOf, workersOf } from "./tasks.ts";

const OPEN = new Set(["queued", "running"]);
/** Commands that run side by side. */
const MOST_COMMANDS = 3;

/**
 * Runs so many rounds. A failure is repeated as far as chance allows with the seed that is printed, in
 * `TASK_KILLS_SEED`.
 */
export async function killAtRandom(t: TestContext, rounds: number): Promise<void> {
  const seed = Number(process.env["TASK_KILLS_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`TASK_KILLS_SEED=${seed} repeats the choices`);
  const random = randomNumbers(seed);
  const receiver = await startReceiver(t);
  receiver.answer = (_request, response) => void setTimeout(() => response.end(), 20);
  // What is in `state.db` at each moment is read. With PostgreSQL: machines.long.test.ts.
  const home = taskHome(t, configuration(receiver), { storage: "embedded" });
  const began = performance.now();
  await home.run(["run", "hello"]);
  const takes = performance.now() - began;
  const commands: Running[] = [];
  for (let round = 0; round < rounds; round++) {
    const command = start(home, random(), round);
    commands.push(command);
    // At any moment of a run, however long one takes here.
    await pause(takes * random());
    await killSome(home, command, random);
    if (commands.length > MOST_COMMANDS) await commands.at(-MOST_COMMANDS)!.ended;
  }
  const ended = await Promise.all(commands.map((command) => command.ended));
  const promised = ended.flatMap(({ code, stdout }) => (code === 0 ? (/^[a-z0-9]{16}(?=\n$)/.exec(stdout) ?? []) : []));
  await settle(home);
  const tasks = await tasksOf(home);
  const [again, lost] = [tasks.filter(({ attempt }) => attempt > 1), tasks.filter(({ status }) => status === "lost")];
  t.diagnostic(
    `${tasks.length} tasks, ${again.length} run again, ${lost.length} lost, ${receiver.received.length} requests`,
  );
  await check(home, receiver, tasks, promised);
}

const configuration = ({ url }: Receiver) => ({
  background: { max_concurrent: 3 },
  webhooks: {
    retry: { max_attempts: 20, initial_delay: 50 },
    endpoints: Object.fromEntries(
      ["task_started", "task_completed", "task_failed", "tool_called"].map((event) => [event, { url }]),
    ),
  },
});

function start(home: Home, choice: number, round: number): Running {
  const prompt = `run \`sleep 0.2; echo round-${round}\``;
  if (choice < 0.7) return home.start(["run", "--background", prompt]);
  return choice < 0.9 ? home.start(["run", prompt]) : home.start(["chat", "-q", prompt]);
}

/** Kills the command, the workers, the processes of tasks, or several of these. */
async function killSome(home: Home, command: Running, random: () => number): Promise<void> {
  const [killsCommand, killsWorkers, killsTasks] = [random() < 0.4, random() < 0.4, random() < 0.4];
  const runners = killsTasks ? runnersOf(home) : [];
  if (killsCommand) command.kill("SIGKILL");
  if (killsWorkers) workersOf(home).forEach(killQuietly);
  runners.forEach(killQuietly);
}

/** Read from the database: a command would end what it finds to be gone. */
function runnersOf(home: Home): readonly number[] {
  const database = new DatabaseSync(join(home.path, "state.db"), { readOnly: true, timeout: 5000 });
  try {
    const rows = database.prepare("SELECT pid FROM tasks WHERE status = 'running' AND pid IS NOT NULL").all();
    return rows.map(({ pid }) => Number(pid));
  } finally {
    database.close();
  }
}

/** Waits until every task has ended and every delivery was sent. */
export async function untilSettled(home: Home, withinMs: number): Promise<void> {
  let left: unknown;
  await until(
    async () => {
      // Commands take the time of what is waited for: they are asked when it looks as if they agreed.
      if ([...(storedStatuses(home)?.values() ?? [])].some((status) => OPEN.has(status))) return false;
      const open = (await tasksOf(home)).filter(({ status }) => OPEN.has(status));
      const pending = (await deliveriesOf(home)).filter(({ status }) => status === "pending");
      left = [open, pending];
      return open.length + pending.length === 0;
    },
    "everything has ended and was delivered",
    { withinMs, seen: () => [left, home.read("logs/hermes.log").slice(-3000)] },
  );
}

/** Lets a worker finish everything. */
async function settle(home: Home): Promise<void> {
  const worker = home.start(["worker"]);
  await worker.sees("The worker is ready");
  await untilSettled(home, 120_000);
  worker.kill("SIGTERM");
  await worker.ended;
}

async function check(
  home: Home,
  receiver: Receiver,
  tasks: readonly Task[],
  promised: readonly string[],
): Promise<void> {
  const ids = new Set(tasks.map(({ id }) => id));
  assert.deepEqual(
    promised.filter((id) => !ids.has(id)),
    [],
    "each id that was printed is a task",
  );
  for (const task of tasks) {
    const isLost = task.status === "lost" && task.ended_by === "crash";
    assert.ok(isLost || task.status === "succeeded", JSON.stringify(task));
  }
  const stored = await deliveriesOf(home);
  const arrived = new Map(receiver.received.map(({ headers, body }) => [headers["webhook-id"], body]));
  for (const { id, event, status } of stored) {
    assert.equal(status, "delivered", `${event} ${id}`);
    assert.ok(arrived.has(id), `${event} ${id} has arrived`);
  }
  const bodies = [...arrived.values()].map((body) => JSON.parse(body) as { event: string; task_id: string });
  for (const task of tasks) {
    const events = bodies.filter((body) => body.task_id === task.id).map(({ event }) => event);
    assert.deepEqual(
      events.filter((event) => event === "task_completed" || event === "task_failed"),
      [task.status === "succeeded" ? "task_completed" : "task_failed"],
      JSON.stringify(task),
    );
    const starts = events.filter((event) => event === "task_started").length;
    // What was killed before its turn began has not started.
    assert.ok(starts === 1 || (starts === 0 && task.status === "lost"), `${starts} starts of ${JSON.stringify(task)}`);
  }
  const database = new DatabaseSync(join(home.path, "state.db"));
  const result = database.prepare("PRAGMA integrity_check").all();
  database.close();
  assert.deepEqual(
    result.map((row) => row["integrity_check"]),
    ["ok"],
  );
}
