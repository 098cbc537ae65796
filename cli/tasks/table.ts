/** Tasks as rows of a list, for people. */
import type { Task } from "#core/ports/tasks";
import { elapsed } from "#core/age";
import { taskState } from "#core/tasks-command";
import type { Column, Row } from "../list.ts";

export const TASK_COLUMNS: readonly Column[] = [
  { head: "TASK" },
  { head: "CREATED", kind: "time" },
  { head: "STATUS", kind: "state" },
  { head: "TIME", isOptional: true },
  { head: "TAG", isOptional: true },
  { head: "HOST", isOptional: true },
  { head: "PROMPT", kind: "line" },
];

export function taskRow(task: Task): Row {
  const { id, created_at, duration_seconds: seconds, prompt, tag = "", host = "" } = task;
  return [id, created_at, taskState(task), seconds === null ? "" : elapsed(seconds), tag, host, prompt];
}
