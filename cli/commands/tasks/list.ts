import type { Command } from "commander";
import { visible } from "#allowlist/visible";
import type { Task, TaskStatus } from "#core/ports/tasks";
import { truncate } from "#core/truncate";
import { columns } from "#cli/columns";
import type { CliContext } from "#cli/context";
import { taskId, withTasks } from "#cli/tasks/home";

const SHOWN_PROMPT = 60;

/** `hermes tasks list` */
export function listTasks(
  options: { readonly status?: TaskStatus; readonly limit: number; readonly json?: true },
  command: Command,
  context: CliContext,
): Promise<void> {
  return withTasks(command, context, async ({ store }) => {
    const tasks = await store.list(options);
    if (options.json) return context.json({ tasks });
    if (tasks.length === 0) return context.out("No tasks.");
    const rows = tasks.map((task) => [
      task.id,
      task.created_at,
      stateOf(task),
      task.duration_seconds === null ? "" : `${task.duration_seconds} s`,
      truncate(visible(task.prompt.replaceAll(/\s+/g, " ")), SHOWN_PROMPT),
    ]);
    context.out(columns([["TASK", "CREATED", "STATUS", "TIME", "PROMPT"], ...rows]).join("\n"));
  });
}

function stateOf({ status, position, attempt }: Task): string {
  const place = position === null ? "" : ` (${position}.)`;
  return `${status}${place}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}

/** `hermes tasks status ID` */
export function showTask(written: string, json: boolean, command: Command, context: CliContext): Promise<void> {
  return withTasks(command, context, async ({ store }) => {
    const task = await store.get(await taskId(written, store));
    if (task === undefined) return;
    if (json) return context.json(task);
    const rows = Object.entries(task)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, visible(String(value))]);
    context.out(columns(rows).join("\n"));
  });
}
