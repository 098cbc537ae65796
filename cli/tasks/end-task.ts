/** Ends a running task that somebody has cancelled. */
import { setTimeout as pause } from "node:timers/promises";
import type { ProcessIdentity, RunningTask, TaskStore } from "#core/ports/tasks";
import { isAlive } from "#core/process-identity";
import { CANCELLED } from "#daemon/tasks/settle";
import { descendantsOf } from "#sandbox/process/companion";

const LOOK_MS = 50;
/** How long a turn may take to end after its interrupt, and a group after TERM. */
const INTERRUPT_MS = 2000;
const TERM_MS = 5000;
/** How long the end may take to be stored. */
const STORE_MS = 2000;

/**
 * Interrupts the turn, then ends the process group, and stores the end that the task has not stored itself. `show` is
 * told what it waits for. Rejects with what the store throws.
 */
export async function endTask(store: TaskStore, id: string, show: (waiting: string) => void): Promise<void> {
  const find = async () => (await store.running()).find((task) => task.id === id);
  // A worker that has just claimed it starts its process now.
  show("its process to start");
  const task = await until(find, (found) => found === undefined || found.runner !== null, STORE_MS);
  if (task === undefined) return;
  if (!task.isHere) return endElsewhere(store, find, show);
  const { runner } = task;
  if (runner !== null) await endProcess(runner, task, show);
  show("its end to be stored");
  const rest = await until(find, (found) => found === undefined, STORE_MS);
  if (rest !== undefined) await store.end(id, rest.attempt, CANCELLED, () => []);
}

/** Whoever runs it has heard of it, or is gone. */
async function endElsewhere(
  store: TaskStore,
  find: () => Promise<RunningTask | undefined>,
  show: (waiting: string) => void,
): Promise<void> {
  show("the machine that runs it to end it");
  const rest = await until(find, (found) => found === undefined || !found.isAlive, Number.POSITIVE_INFINITY);
  if (rest !== undefined) await store.end(rest.id, rest.attempt, CANCELLED, () => []);
}

async function endProcess(
  runner: ProcessIdentity,
  { isForeground }: RunningTask,
  show: (waiting: string) => void,
): Promise<void> {
  const isGone = async () => !isAlive(runner.pid, runner.start);
  // The group of a task in the foreground is its shell's, and what marks its processes may be a hook's.
  const target = isForeground ? runner.pid : -runner.pid;
  const endDescendants = isForeground ? () => undefined : descendantsOf(runner.pid);
  for (const [signal, ms, waiting] of [
    ["SIGINT", INTERRUPT_MS, "its turn to end after the interrupt"],
    ["SIGTERM", TERM_MS, "its processes to end after SIGTERM"],
    ["SIGKILL", STORE_MS, "its processes to end after SIGKILL"],
  ] as const) {
    if (await isGone()) break;
    send(signal === "SIGINT" ? runner.pid : target, signal);
    show(waiting);
    await until(isGone, (gone) => gone, ms);
  }
  endDescendants();
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended meanwhile.
  }
}

async function until<Value>(
  look: () => Promise<Value>,
  isEnough: (value: Value) => boolean,
  ms: number,
): Promise<Value> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await look();
    if (isEnough(value) || performance.now() >= deadline) return value;
    await pause(LOOK_MS);
  }
}
