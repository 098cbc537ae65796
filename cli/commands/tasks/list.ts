import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import type { TaskStatus } from "#core/ports/tasks";
import type { CliContext } from "#cli/context";
import { asShownInsideAgent } from "#cli/inside-agent-texts";
import { taskId, withTasks } from "#cli/tasks/home";
import { printList } from "#cli/list";
import { TASK_COLUMNS, taskRow } from "#cli/tasks/table";
import { waitsForTag } from "#cli/tasks/tags";

/** `hermes tasks list` */
export function listTasks(
  options: { readonly status?: TaskStatus; readonly limit: number; readonly json?: true },
  command: Command,
  context: CliContext,
): Promise<void> {
  return withTasks(command, context, async ({ store, config }) => {
    const tasks = await asShownInsideAgent(await store.list(options), config, context.env);
    if (options.json) return context.json({ tasks });
    if (tasks.length === 0) return context.out("No tasks.");
    printList(context, TASK_COLUMNS, tasks.map(taskRow));
  });
}

/** `hermes tasks status ID` */
export function showTask(written: string, json: boolean, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store, stores: { workers }, config }) => {
    const found = await store.get(await taskId(written, store));
    if (found === undefined) return;
    const [task = found] = await asShownInsideAgent([found], config, context.env);
    if (json) return context.json(task);
    const rows = Object.entries(task)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, visible(String(value))]);
    printList(context, [{ head: "" }, { head: "", kind: "text" }], rows);
    const waiting = task.tag === undefined ? undefined : waitsForTag(task, await workers.list());
    if (waiting !== undefined) context.out(waiting);
  });
}
