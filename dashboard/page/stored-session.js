/** A session as it is stored: its messages, and its files. Everything is inserted as text. */
import { el } from "./dom.js";
import { copyButton } from "./event-view.js";
import { counted } from "./format.js";

/**
 * @typedef {object} StoredSession
 * @property {{ id: string, title: string | null, platform: string, model: string | null, updated_at: string,
 *   usage: unknown }} session
 * @property {number} skipped messages before these
 * @property {readonly { role: string, text: string, calls: readonly { name: string, arguments: string }[] }[]} messages
 */

/** @type {Record<string, [kind: string, who: string]>} */
const ROLES = {
  user: ["message", "User"],
  assistant: ["answer", "Agent"],
  system: ["injected", "Context"],
  tool: ["tool", "Result"],
};

/**
 * What one can do with a session.
 *
 * @param {string} id
 * @param {...HTMLElement} more
 */
export function sessionActions(id, ...more) {
  const path = `api/sessions/${encodeURIComponent(id.toWellFormed())}/export`;
  return el(
    "div",
    { class: "actions" },
    ...more,
    el("a", { class: "file", href: `${path}?format=markdown`, download: "" }, "Markdown"),
    el("a", { class: "file", href: `${path}?format=jsonl`, download: "" }, "JSON lines"),
    // Browsers allow the clipboard on localhost and https only.
    ...(navigator.clipboard === undefined ? [] : [copyButton("Copy link", () => location.href)]),
    el("p", { class: "session-id" }, id),
  );
}

/** @param {StoredSession} stored */
export function storedMessages({ skipped, messages }) {
  const list = el("ol", { class: "items" });
  for (const message of messages) list.append(messageItem(message));
  const note =
    skipped > 0 ? [el("p", { class: "note" }, `${counted(skipped, "earlier message")}: see the files above.`)] : [];
  return [el("div", { class: "turn" }, ...note, list)];
}

/** @param {StoredSession["messages"][number]} message */
function messageItem({ role, text, calls }) {
  const [kind, who] = ROLES[role] ?? ["injected", role];
  const item = el("li", { class: "item", "data-kind": kind });
  item.append(el("div", { class: "head" }, el("span", { class: "who" }, who)));
  if (role === "tool") item.append(folded("its text", text));
  else if (text !== "") item.append(el("p", { class: "text" }, text));
  for (const call of calls) item.append(folded(call.name, call.arguments));
  return item;
}

/**
 * @param {string} title
 * @param {string} text
 */
function folded(title, text) {
  return el("details", { class: "part" }, el("summary", {}, title), el("pre", {}, text));
}
