/** The commands that change tasks: `cancel`, `retry` and `prune`. */
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { removeOutput } from "#daemon/tasks/output";
import type { CliContext } from "#cli/context";
import { endTask } from "#cli/tasks/end-task";
import { taskId, withTasks } from "#cli/tasks/home";
import { WaitingLine } from "#cli/tasks/waiting-line";
import { ensureWorker } from "#cli/tasks/workers";

const DEFAULT_AGE_MS = 30 * 86_400_000;

/** `hermes tasks cancel ID` */
export function cancelTask(written: string, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store }) => {
    const id = await taskId(written, store);
    const before = await store.cancel(id);
    if (before === "running") {
      using waiting = new WaitingLine(context, `Task ${id} was asked to end. See: hermes tasks status ${id}`);
      await endTask(store, id, (what) => waiting.isFor(what));
    }
    if (before !== "running" && before !== "queued") {
      throw new HermesError("HERMES_TASK_STATE", { id, status: before ?? "gone", problem: "it has ended already" });
    }
    context.out(`Task ${id} is cancelled.`);
  });
}

/** `hermes tasks retry ID` */
export function retryTask(written: string, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store, stores: { workers }, config, paths }) => {
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
    await ensureWorker({ paths, workers, tag: (await store.get(id))?.tag });
    context.out(`Task ${id} is queued again.`);
  });
}

/** `hermes tasks prune` */
export function pruneTasks(olderThanMs: number | undefined, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store, paths }) => {
    const ids = await store.prune(olderThanMs ?? DEFAULT_AGE_MS);
    for (const id of ids) removeOutput(paths.tasks, id);
    context.out(`${ids.length} task${ids.length === 1 ? " was" : "s were"} deleted.`);
  });
}
