/** The details of one event, with its context as JSON. */
import { el } from "./dom.js";
import { count, fullTime } from "./format.js";
import { piecesOf, pretty } from "./json-text.js";

/** @typedef {import("./events.js").Row} Row */

/**
 * @param {Row} row
 * @param {{ onSession: (id: string) => void, onFilter: (id: string) => void }} handlers
 * @returns {HTMLElement[]}
 */
export function eventView(row, { onSession, onFilter }) {
  const json = pretty(row.text);
  const { pieces, isCut } = piecesOf(json);
  const code = el("pre", { class: "json", tabindex: "0", "aria-label": "Context as JSON" });
  for (const { kind, text } of pieces) code.append(kind === "plain" ? text : el("span", { class: kind }, text));
  const note = isCut ? [el("p", { class: "note" }, `Shows the beginning of ${count(json.length)} characters.`)] : [];
  return [facts(row), actions(row, json, { onSession, onFilter }), code, ...note];
}

/** @param {Row} row */
function facts(row) {
  const rows = [
    ["Time", fullTime(row.at)],
    ["Source", row.src || "unknown"],
    ["Session", row.session || "none"],
    ["Number", count(row.seq)],
  ];
  const list = el("dl", { class: "event-facts" });
  for (const [name, value] of rows) list.append(el("dt", {}, name ?? ""), el("dd", {}, value ?? ""));
  return list;
}

/**
 * @param {Row} row
 * @param {string} json
 * @param {{ onSession: (id: string) => void, onFilter: (id: string) => void }} handlers
 */
function actions({ session }, json, { onSession, onFilter }) {
  const bar = el("div", { class: "actions" });
  if (session !== "") {
    bar.append(
      button("Open session", () => onSession(session)),
      button("Only its events", () => onFilter(session)),
    );
  }
  // Browsers allow the clipboard on localhost and https only.
  if (navigator.clipboard !== undefined) {
    bar.append(
      copyButton("Copy JSON", () => json),
      copyButton("Copy link", () => location.href),
    );
  }
  return bar;
}

/**
 * @param {string} name
 * @param {() => string} text
 */
export function copyButton(name, text) {
  const copy = button(name, () => {
    navigator.clipboard.writeText(text()).then(
      () => (copy.textContent = "Copied"),
      () => (copy.textContent = "Not allowed by the browser"),
    );
  });
  return copy;
}

/**
 * @param {string} text
 * @param {() => void} onClick
 */
export function button(text, onClick) {
  const made = el("button", { type: "button" }, text);
  made.addEventListener("click", onClick);
  return made;
}
