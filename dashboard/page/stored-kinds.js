/** What the panes of tasks and of webhooks show. No DOM. */
import { ago, count, counted, duration, oneLine } from "./format.js";

/** @typedef {import("./stored-list.js").Task} Task */
/** @typedef {import("./stored-list.js").Delivery} Delivery */

/** How many entries a list has. */
export const MOST = 100;

/**
 * @template Item
 * @typedef {object} StoredKind
 * @property {"tasks" | "webhooks" | "daemons"} view
 * @property {string} path
 * @property {(answer: any) => readonly Item[]} items
 * @property {(item: Item) => string} id
 * @property {(item: Item) => { status: string, state: string, words: string, facts: string, when: string }} describe
 * @property {(items: readonly Item[]) => string} summary beside the title
 * @property {boolean} hasFilter
 * @property {(answer: any, onOpen: (id: string) => void) => void} [drawMore] draws what else the answer has
 */

/** @type {StoredKind<Task>} */
export const TASKS = {
  view: "tasks",
  path: "api/tasks",
  items: (answer) => answer.tasks,
  id: ({ id }) => id,
  describe: (task) => ({
    status: task.status,
    state: taskState(task),
    words: oneLine(task.prompt),
    facts: [
      task.duration_seconds === null ? "" : duration(task.duration_seconds * 1000),
      task.tools_called === null ? "" : counted(task.tools_called, "tool call"),
      task.tokens_used === null ? "" : counted(task.tokens_used, "token"),
      task.error === null ? "" : oneLine(task.error, 80),
    ]
      .filter((part) => part !== "")
      .join(" · "),
    when: ago(Date.parse(task.created_at), Date.now()),
  }),
  summary: newest,
  hasFilter: true,
};

/** @type {StoredKind<Delivery>} */
export const DELIVERIES = {
  view: "webhooks",
  path: "api/deliveries",
  items: (answer) => answer.deliveries,
  id: ({ id }) => id,
  describe: (delivery) => ({
    status: delivery.status,
    state: delivery.status,
    words: `${delivery.event} to ${delivery.endpoint}`,
    facts: [
      delivery.attempts === 0 ? "not sent yet" : counted(delivery.attempts, "attempt"),
      nextAttempt(delivery),
      delivery.last_error === null ? "" : oneLine(delivery.last_error, 120),
    ]
      .filter((part) => part !== "")
      .join(" · "),
    when: ago(Date.parse(delivery.created_at), Date.now()),
  }),
  summary: newest,
  hasFilter: true,
};

/** @param {readonly unknown[]} items */
function newest({ length }) {
  return length < MOST ? "" : `the newest ${MOST}`;
}

/** @param {Task} task */
export function taskState({ status, position, attempt }) {
  const place = position === null ? "" : `, number ${count(position)}`;
  return `${status}${place}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}

/** @param {Delivery} delivery */
export function nextAttempt({ status, next_attempt_at: next, attempts }) {
  if (status !== "pending" || next === null || attempts === 0) return "";
  const ms = Date.parse(next) - Date.now();
  return ms > 0 ? `again in ${duration(ms)}` : "again now";
}
