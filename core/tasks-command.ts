/** `/tasks` of every surface: text of bounded length, without characters that a terminal acts on. */
import { age, elapsed } from "./age.ts";
import { isHermesError } from "./errors.ts";
import type { Task, TaskDesk } from "./ports/tasks.ts";
import { wholeId } from "./short-id.ts";
import { terminalText } from "./terminal-text.ts";
import { truncate } from "./truncate.ts";

const LISTED = 10;
const LIST_PROMPT = 80;
const SHOWN_PROMPT = 300;
const SHOWN_LINES = 10;
const SHOWN_LINE = 200;

/** Answers `/tasks ARGS`. Rejects with what the desk rejects with. */
export async function tasksCommand(args: string, desk: TaskDesk, now = Date.now()): Promise<string> {
  const words = args.split(/\s+/).filter(Boolean);
  const [first, second] = words;
  try {
    if (first === undefined) return await listText(desk, now);
    if (first === "cancel" && words.length === 2) return await cancelled(await wholeTaskId(second!, desk), desk);
    if (words.length === 1 && first !== "cancel") return await statusText(await wholeTaskId(first, desk), desk);
  } catch (error) {
    if (isHermesError(error) && error.code.startsWith("HERMES_ID_")) return error.message;
    throw error;
  }
  return "Send /tasks, /tasks ID or /tasks cancel ID.";
}

function wholeTaskId(written: string, desk: TaskDesk): Promise<string> {
  return wholeId(written, { noun: "task", list: "/tasks", find: (beginning) => desk.find(beginning) });
}

async function listText(desk: TaskDesk, now: number): Promise<string> {
  const tasks = await desk.list({ limit: LISTED });
  if (tasks.length === 0) return 'No tasks yet. "hermes run --background PROMPT" starts one.';
  return tasks
    .map((task) => `${task.id} ${taskState(task)}, ${age(task.created_at, now)}: ${oneLine(task.prompt, LIST_PROMPT)}`)
    .join("\n");
}

async function statusText(id: string, desk: TaskDesk): Promise<string> {
  const task = await desk.get(id);
  if (task === undefined) return `Task ${id} was deleted.`;
  const { duration_seconds: seconds, tools_called: tools, tokens_used: tokens, exit_code: code, error } = task;
  const figures = [
    seconds === null ? undefined : elapsed(seconds),
    tools === null ? undefined : `tool calls: ${tools}`,
    tokens === null ? undefined : `tokens: ${tokens}`,
    code === null ? undefined : `exit code: ${code}`,
  ];
  const lines = await desk.lastLines(id, SHOWN_LINES);
  return [
    `${id} ${[taskState(task), ...figures.filter((figure) => figure !== undefined)].join(", ")}`,
    `prompt: ${oneLine(task.prompt, SHOWN_PROMPT)}`,
    ...(error === null ? [] : [`error: ${oneLine(error, SHOWN_PROMPT)}`]),
    ...(lines.length === 0 ? [] : ["", ...lines.map((line) => truncate(terminalText(line), SHOWN_LINE))]),
  ].join("\n");
}

async function cancelled(id: string, desk: TaskDesk): Promise<string> {
  const before = await desk.cancel(id);
  return before === "queued" || before === "running"
    ? `Task ${id} is cancelled.`
    : `Task ${id} has ended already: ${before ?? "deleted"}.`;
}

/** The status with what else is known of it: `queued (2nd)`, `running, attempt 2`. */
export function taskState({ status, position, attempt }: Pick<Task, "status" | "position" | "attempt">): string {
  const place = position === null ? "" : ` (${ordinal(position)})`;
  return `${status}${place}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}

function ordinal(number: number): string {
  const [tens, ones] = [number % 100, number % 10];
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][ones] ?? "th");
  return `${number}${ending}`;
}

function oneLine(text: string, most: number): string {
  return truncate(
    terminalText(text.slice(0, most * 4))
      .replaceAll(/\s+/g, " ")
      .trim(),
    most,
  );
}
