/** A turn of a session, built from events: messages, tool calls and hooks. No DOM. */
import { cut } from "./format.js";
import { isRecord, jsonOf, numberOf, textOf } from "./values.js";

/** Items per turn; those between the first and the last ones are only counted. */
const MOST_ITEMS = 300;
const MOST_TEXT = 4000;

/**
 * @typedef {object} Item
 * @property {number} id unique in its session
 * @property {"message" | "answer" | "tool" | "hook" | "injected" | "error" | "reasoning"} kind
 * @property {number} at
 * @property {number} version grows with each change
 * @property {string} text what was said; a tool's result
 * @property {string} label the name of a tool or hook, the origin of injected text, or an error's code
 * @property {string} detail a tool's arguments, a hook's event
 * @property {string} source a hook's tier
 * @property {string} state a tool's `running`, `ok` or `failed`; a hook's outcome; an answer's `streaming` or `done`
 * @property {string} cause why a failed guard blocked
 * @property {number | null} durationMs
 * @property {string} toolId
 */

/**
 * @typedef {object} Turn
 * @property {number} number counted from 1
 * @property {number} startedAt
 * @property {boolean} isOpen
 * @property {boolean} hasMessage whether a user's message started it
 * @property {string} ending "" while it runs
 * @property {number | null} durationMs
 * @property {{ input: number, output: number } | null} tokens
 * @property {Item[]} items
 * @property {number} skipped items that are no longer kept
 * @property {number} version
 */

/**
 * @param {number} number
 * @param {number} at
 * @returns {Turn}
 */
export function newTurn(number, at) {
  return {
    number,
    startedAt: at,
    isOpen: true,
    hasMessage: false,
    ending: "",
    durationMs: null,
    tokens: null,
    items: [],
    skipped: 0,
    version: 0,
  };
}

/**
 * Adds an item; returns how many more there are now (0 when an older one was removed).
 *
 * @param {Turn} turn
 * @param {Item} item
 */
export function addItem(turn, item) {
  turn.version++;
  turn.items.push(item);
  if (turn.items.length <= MOST_ITEMS) return 1;
  // Always keep the message that started the turn.
  turn.items.splice(turn.hasMessage ? 1 : 0, 1);
  turn.skipped++;
  return 0;
}

/**
 * @param {number} id
 * @param {Item["kind"]} kind
 * @param {number} at
 * @param {Partial<Item>} fields
 * @returns {Item}
 */
function newItem(id, kind, at, fields) {
  const nothing = { text: "", label: "", detail: "", source: "", state: "", cause: "", toolId: "" };
  return { id, kind, at, version: 0, durationMs: null, ...nothing, ...fields };
}

/**
 * @param {number} id
 * @param {number} at
 * @param {unknown} text
 */
export function messageItem(id, at, text) {
  return newItem(id, "message", at, { text: cut(textOf(text), MOST_TEXT) });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {unknown} text
 * @param {"streaming" | "done"} state
 */
export function answerItem(id, at, text, state) {
  return newItem(id, "answer", at, { text: cut(textOf(text), MOST_TEXT), state });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {unknown} text
 */
export function reasoningItem(id, at, text) {
  return newItem(id, "reasoning", at, { text: cut(textOf(text), MOST_TEXT), state: "streaming" });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} call the payload of `tui:tool.start`
 */
export function toolItem(id, at, { name, tool_id, params }) {
  const detail = cut(isRecord(params) ? JSON.stringify(params, null, 2) : jsonOf(params), MOST_TEXT);
  return newItem(id, "tool", at, { label: textOf(name), toolId: textOf(tool_id), detail, state: "running" });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} run the payload of `tui:hook.complete`
 */
export function hookItem(id, at, { event, source, name, outcome, cause, duration_ms }) {
  return newItem(id, "hook", at, {
    label: textOf(name),
    detail: textOf(event),
    source: textOf(source),
    state: textOf(outcome) || "unknown",
    cause: textOf(cause),
    durationMs: numberOf(duration_ms),
  });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} injected
 */
export function injectedItem(id, at, { source_kind, source_label, content }) {
  const label = [textOf(source_kind), textOf(source_label)].filter((part) => part !== "").join(" ");
  return newItem(id, "injected", at, { label, text: cut(textOf(content), MOST_TEXT) });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} error
 */
export function errorItem(id, at, { message, code }) {
  return newItem(id, "error", at, { label: textOf(code), text: cut(textOf(message), MOST_TEXT) });
}

/**
 * Appends text to a streaming answer or reasoning, up to a limit.
 *
 * @param {Item} answer
 * @param {string} text
 */
export function growAnswer(answer, text) {
  if (answer.text.length >= MOST_TEXT) return;
  answer.text = `${answer.text}${text}`.slice(0, MOST_TEXT);
  answer.version++;
}

/**
 * Adds a tool's result to its call.
 *
 * @param {Item} tool
 * @param {number} at
 * @param {Record<string, unknown>} result the payload of `tui:tool.complete`
 */
export function completeTool(tool, at, { success, content }) {
  tool.state = success === false ? "failed" : "ok";
  tool.text = cut(textOf(content) || jsonOf(content), MOST_TEXT);
  // These times are the dashboard's; events of one batch have the same, so they give no duration.
  tool.durationMs = at > tool.at ? at - tool.at : null;
  tool.version++;
}
