/** The details of a task or a delivery: facts, commands to copy, texts. Everything is inserted as text. */
import { el } from "./dom.js";
import { button } from "./event-view.js";
import { count, duration, fullTime } from "./format.js";
import { piecesOf } from "./json-text.js";
import { nextAttempt, taskState } from "./stored-view.js";

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

/** @param {readonly (readonly [name: string, value: string])[]} rows */
function factsOf(rows) {
  const list = el("dl", { class: "event-facts" });
  for (const [name, value] of rows) if (value !== "") list.append(el("dt", {}, name), el("dd", {}, value));
  return list;
}

/** @param {readonly string[]} commands */
function commandLines(commands) {
  return commands.map((command) => {
    const line = el("div", { class: "command" }, el("code", {}, command));
    // Browsers allow the clipboard on localhost and https only.
    if (navigator.clipboard === undefined) return line;
    const copy = button("Copy", () => {
      navigator.clipboard.writeText(command).then(
        () => (copy.textContent = "Copied"),
        () => (copy.textContent = "Not allowed by the browser"),
      );
    });
    copy.setAttribute("aria-label", `Copy ${command}`);
    line.append(copy);
    return line;
  });
}

/**
 * @param {string} title
 * @param {string} text
 */
function textPart(title, text) {
  if (text === "") return [];
  const pre = el("pre", { class: "json", tabindex: "0", "aria-label": title });
  const pieces = title === "Payload" ? piecesOf(text).pieces : [{ kind: "plain", text }];
  for (const piece of pieces) {
    pre.append(piece.kind === "plain" ? piece.text : el("span", { class: piece.kind }, piece.text));
  }
  return [el("h3", {}, title), pre];
}

/** @param {string | null} at */
function time(at) {
  return at === null ? "" : fullTime(Date.parse(at));
}

/** @param {number | null} value */
function number(value) {
  return value === null ? "" : count(value);
}

/**
 * A word for a shell.
 *
 * @param {string} word
 */
function quoted(word) {
  return /^[\w.:@%+,/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
