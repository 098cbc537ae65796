/** Tasks as rows of a list, for people. */
import type { Task } from "#core/ports/tasks";
import { age, elapsed } from "#core/age";
import { taskState } from "#core/tasks-command";
import { columns, roomForLast } from "../columns.ts";
import { fitLine } from "../text-width.ts";

/** The lines of a list that fits the terminal: the prompt takes what the other columns leave. */
export function taskTable(tasks: readonly Task[], { now = Date.now(), width = process.stdout.columns } = {}): string[] {
  const rows = [
    ["TASK", "AGE", "STATUS", "TIME"],
    ...tasks.map((task) => [task.id, age(task.created_at, now), taskState(task), timeOf(task)]),
  ];
  const room = roomForLast(rows, width);
  const prompts = ["PROMPT", ...tasks.map(({ prompt }) => fitLine(prompt, room))];
  return columns(rows.map((row, index) => [...row, prompts[index]!]));
}

function timeOf({ duration_seconds: seconds }: Task): string {
  return seconds === null ? "" : elapsed(seconds);
}
