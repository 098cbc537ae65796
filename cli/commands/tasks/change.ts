/** The commands that change tasks: `cancel`, `retry` and `prune`. */
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { HermesError } from "#core/errors";
import type { ProcessIdentity, RunningTask, TaskStore } from "#core/ports/tasks";
import { isAlive } from "#core/process-identity";
import { removeOutput } from "#daemon/tasks/output";
import { CANCELLED } from "#daemon/tasks/settle";
import { descendantsOf } from "#sandbox/process/companion";
import type { CliContext } from "#cli/context";
import { taskId, withTasks } from "#cli/tasks/home";
import { WaitingLine } from "#cli/tasks/waiting-line";
import { ensureWorker } from "#cli/tasks/workers";

const LOOK_MS = 50;
/** How long a turn may take to end after its interrupt, and a group after TERM. */
const INTERRUPT_MS = 2000;
const TERM_MS = 5000;
/** How long the end may take to be stored. */
const STORE_MS = 2000;
const DEFAULT_AGE_MS = 30 * 86_400_000;

/** `hermes tasks cancel ID` */
export function cancelTask(written: string, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store }) => {
    const id = await taskId(written, store);
    const before = await store.cancel(id);
    if (before === "running") await stop(store, id, context);
    else if (before !== "queued") {
      throw new HermesError("HERMES_TASK_STATE", { id, status: before ?? "gone", problem: "it has ended already" });
    }
    context.out(`Task ${id} is cancelled.`);
  });
}

/**
 * Interrupts the turn, then ends the process group, and stores the end that the task has not stored itself. What takes
 * longer than a second is shown.
 */
async function stop(store: TaskStore, id: string, context: CliContext): Promise<void> {
  using waiting = new WaitingLine(context, `Task ${id} was asked to end. See: hermes tasks status ${id}`);
  const show = (what: string) => waiting.isFor(what);
  const find = async () => (await store.running()).find((task) => task.id === id);
  // A worker that has just claimed it starts its process now.
  show("its process to start");
  const task = await until(find, (found) => found === undefined || found.runner !== null, STORE_MS);
  if (task === undefined) return;
  const { runner } = task;
  if (runner !== null) await endProcess(runner, task, show);
  show("its end to be stored");
  const rest = await until(find, (found) => found === undefined, STORE_MS);
  if (rest !== undefined) await store.end(id, rest.attempt, CANCELLED, () => []);
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

/** `hermes tasks retry ID` */
export function retryTask(written: string, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store, config, paths }) => {
    const id = await taskId(written, store);
    if (!config.values.background.enabled) throw new HermesError("HERMES_BACKGROUND_OFF", {});
    if (!(await store.retry(id))) {
      const status = (await store.get(id))?.status ?? "gone";
      throw new HermesError("HERMES_TASK_STATE", {
        id,
        status,
        problem: "only a task that has ended can be run again",
      });
    }
    await ensureWorker(paths);
    context.out(`Task ${id} is queued again.`);
  });
}

/** `hermes tasks prune` */
export function pruneTasks(olderThanMs: number | undefined, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store, paths }) => {
    const ids = await store.prune(new Date(Date.now() - (olderThanMs ?? DEFAULT_AGE_MS)));
    for (const id of ids) removeOutput(paths.tasks, id);
    context.out(`${ids.length} task${ids.length === 1 ? " was" : "s were"} deleted.`);
  });
}
