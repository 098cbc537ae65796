/** Tasks as rows of a list, for people. */
import type { Task } from "#core/ports/tasks";
import { age, elapsed } from "../age.ts";
import { columns, roomForLast } from "../columns.ts";
import { fitLine } from "../text-width.ts";

/** The lines of a list that fits the terminal: the prompt takes what the other columns leave. */
export function taskTable(tasks: readonly Task[], { now = Date.now(), width = process.stdout.columns } = {}): string[] {
  const rows = [
    ["TASK", "AGE", "STATUS", "TIME"],
    ...tasks.map((task) => [task.id, age(task.created_at, now), describeState(task), timeOf(task)]),
  ];
  const room = roomForLast(rows, width);
  const prompts = ["PROMPT", ...tasks.map(({ prompt }) => fitLine(prompt, room))];
  return columns(rows.map((row, index) => [...row, prompts[index]!]));
}

/** The status with what else is known of it: `queued (2nd)`, `running, attempt 2`. */
export function describeState({ status, position, attempt }: Pick<Task, "status" | "position" | "attempt">): string {
  const place = position === null ? "" : ` (${ordinal(position)})`;
  return `${status}${place}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}

function timeOf({ duration_seconds: seconds }: Task): string {
  return seconds === null ? "" : elapsed(seconds);
}

function ordinal(number: number): string {
  const [tens, ones] = [number % 100, number % 10];
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][ones] ?? "th");
  return `${number}${ending}`;
}
