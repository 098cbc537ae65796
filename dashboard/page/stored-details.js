/** The details of a task or a delivery: facts, commands to copy, texts. Everything is inserted as text. */
import { commandLines, factsOf, number, quoted, textPart, time } from "./detail-parts.js";
import { el } from "./dom.js";
import { button } from "./event-view.js";
import { duration, fullTime } from "./format.js";
import { nextAttempt, taskState } from "./stored-kinds.js";

/** @typedef {import("./stored-list.js").TaskDetails} TaskDetails */
/** @typedef {import("./stored-list.js").DeliveryDetails} DeliveryDetails */

/**
 * @param {TaskDetails} details
 * @param {{ onSession: (id: string) => void }} handlers
 */
export function taskDetails({ task, output }, { onSession }) {
  const { id, error, session_id: session } = task;
  const isOver = task.exit_code !== null;
  const facts = factsOf([
    ["Status", taskState(task)],
    ["Created", time(task.created_at)],
    ["Started", time(task.started_at)],
    ["Ended", `${time(task.ended_at)}${task.ended_by === null ? "" : ` by ${task.ended_by}`}`],
    ["Time", task.duration_seconds === null ? "" : duration(task.duration_seconds * 1000)],
    ["Attempt", String(task.attempt)],
    ["Tool calls", number(task.tools_called)],
    ["Tokens", number(task.tokens_used)],
    ["Exit code", number(task.exit_code)],
    ["Folder", task.cwd],
  ]);
  const commands = isOver
    ? [`hermes tasks output ${id}`, `hermes tasks retry ${id}`]
    : [`hermes tasks output ${id} --follow`, `hermes tasks cancel ${id}`];
  const actions =
    session === null
      ? []
      : [
          el(
            "div",
            { class: "actions" },
            button("Open session", () => onSession(session)),
          ),
        ];
  return [
    facts,
    ...actions,
    ...(error === null ? [] : [el("p", { class: "problem" }, error)]),
    ...commandLines(commands),
    ...textPart("Prompt", task.prompt),
    ...textPart("The last lines of its output", output.join("\n")),
  ];
}

/** @param {DeliveryDetails} details */
export function deliveryDetails({ delivery, payload, history }) {
  const { id, status, endpoint } = delivery;
  const facts = factsOf([
    ["Status", delivery.status],
    ["Endpoint", endpoint],
    ["Created", time(delivery.created_at)],
    ["Delivered", time(delivery.delivered_at)],
    ["Attempts", String(delivery.attempts)],
    ["Next", nextAttempt(delivery)],
    ["Last answer", number(delivery.last_status)],
  ]);
  const commands = [
    `hermes webhooks show ${id}`,
    ...(status === "pending" ? [] : [`hermes webhooks redeliver ${id}`]),
    ...(status === "disabled" ? [`hermes webhooks enable ${quoted(endpoint)}`] : []),
  ];
  return [
    facts,
    ...(delivery.last_error === null ? [] : [el("p", { class: "problem" }, delivery.last_error)]),
    ...commandLines(commands),
    ...attempts(history),
    ...textPart("Payload", payload),
  ];
}

/** @param {DeliveryDetails["history"]} history */
function attempts(history) {
  if (history.length === 0) return [];
  const list = el("ol", { class: "attempts" });
  for (const { at, status, error, duration_ms: ms } of history) {
    const outcome = error ?? `answered ${status}`;
    list.append(el("li", {}, el("span", { class: "dim" }, fullTime(Date.parse(at))), ` ${outcome} (${duration(ms)})`));
  }
  return [el("h3", {}, "Attempts"), list];
}
