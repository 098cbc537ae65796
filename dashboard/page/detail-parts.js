/** What the details of tasks, deliveries and daemons are made of. */
import { el } from "./dom.js";
import { button } from "./event-view.js";
import { count, fullTime } from "./format.js";
import { piecesOf } from "./json-text.js";

/** A list of names and values, without those that are "". @param {readonly (readonly [name: string, value: string])[]} rows */
export function factsOf(rows) {
  const list = el("dl", { class: "event-facts" });
  for (const [name, value] of rows) if (value !== "") list.append(el("dt", {}, name), el("dd", {}, value));
  return list;
}

/** Commands to copy. @param {readonly string[]} commands */
export function commandLines(commands) {
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
export function textPart(title, text) {
  if (text === "") return [];
  const pre = el("pre", { class: "json", tabindex: "0", "aria-label": title });
  const pieces = title === "Payload" ? piecesOf(text).pieces : [{ kind: "plain", text }];
  for (const piece of pieces) {
    pre.append(piece.kind === "plain" ? piece.text : el("span", { class: piece.kind }, piece.text));
  }
  return [el("h3", {}, title), pre];
}

/** A time as the API has it; "" for none. @param {string | null} at */
export function time(at) {
  return at === null ? "" : fullTime(Date.parse(at));
}

/** "" for none. @param {number | null} value */
export function number(value) {
  return value === null ? "" : count(value);
}

/**
 * A word for a shell.
 *
 * @param {string} word
 */
export function quoted(word) {
  return /^[\w.:@%+,/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
