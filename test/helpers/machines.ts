/** Homes with one PostgreSQL that stand for machines: their workers, and what is known of all tasks and deliveries. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import type { Task } from "#core/ports/tasks";
import { BIN, type Home } from "./hermes.ts";
import { until } from "./poll.ts";
import { killQuietly } from "./processes.ts";
import type { Receiver } from "./receiver.ts";

/** Gives a program pids of its own, as another machine has them; empty where that is not allowed. */
const UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] as const;
const OTHER_PIDS = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), "true"]).status === 0 ? UNSHARE : [];

export interface MachineWorker {
  readonly stderr: () => string;
  /** Resolves when it takes tasks. */
  readonly ready: () => Promise<unknown>;
  /** Ends it at once with everything on its machine. Resolves when it is gone. */
  readonly kill: () => Promise<void>;
}

/** Starts `hermes worker FLAGS` on a machine of its own; killed after the test. */
export function startWorker(t: Pick<TestContext, "after">, home: Home, ...flags: string[]): MachineWorker {
  const [program = "", ...args] = [...OTHER_PIDS, process.execPath, BIN, "worker", ...flags];
  const child = spawn(program, args, { cwd: home.work, env: home.env(), stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  const stderr = () => text;
  t.after(() => killQuietly(child.pid!));
  return {
    stderr,
    ready: () => until(() => text.includes("The worker is ready"), "the worker is ready", { seen: stderr }),
    kill: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly status: string;
}

/** All deliveries of a home. */
export async function deliveriesOf(home: Home): Promise<readonly Delivery[]> {
  const { stdout, stderr } = await home.run(["webhooks", "deliveries", "--json", "--limit", "100000"]);
  return (JSON.parse(stdout === "" ? assert.fail(stderr) : stdout) as { deliveries: Delivery[] }).deliveries;
}

/** Each delivery has arrived; a repeat has the same id and the same body; each task told one start and one end. */
export function checkDeliveries(receiver: Receiver, tasks: readonly Task[], stored: readonly Delivery[]): void {
  const arrived = new Map<string, string>();
  for (const { headers, body } of receiver.received) {
    const id = String(headers["webhook-id"]);
    assert.equal(arrived.get(id) ?? body, body, `repeats of ${id} are the same`);
    arrived.set(id, body);
  }
  for (const { id, event, status } of stored) {
    assert.equal(status, "delivered", `${event} ${id}`);
    assert.ok(arrived.has(id), `${event} ${id} has arrived`);
  }
  assert.equal(arrived.size, stored.length, "nothing arrives that was not stored");
  const told = [...arrived.values()].map((body) => JSON.parse(body) as { event: string; task_id: string });
  for (const task of tasks) {
    const events = told.filter(({ task_id }) => task_id === task.id).map(({ event }) => event);
    const ends = events.filter((event) => event !== "task_started");
    assert.deepEqual(ends, [task.status === "succeeded" ? "task_completed" : "task_failed"], JSON.stringify(task));
    const starts = events.length - ends.length;
    // What was killed before its turn began has not started.
    assert.ok(starts === 1 || (starts === 0 && task.status === "lost"), `${starts} starts of ${JSON.stringify(task)}`);
  }
}
