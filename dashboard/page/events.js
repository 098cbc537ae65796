/** Turns an event into a row of the feed. No DOM. */
import { hookKey } from "./hooks-state.js";
import { summaryOf, toneOf } from "./summary.js";
import { isRecord, payloadOf, textOf } from "./values.js";

/** @typedef {import("./values.js").DashboardEvent} DashboardEvent */

/**
 * @typedef {object} Row
 * @property {number} seq
 * @property {number} at
 * @property {string} src
 * @property {string} type
 * @property {Namespace} namespace
 * @property {string} session "" when the event has none
 * @property {string} summary one line
 * @property {import("./summary.js").Tone} tone
 * @property {string} text the context as JSON: searched as text, and parsed when it is shown
 * @property {string} [piece] of a piece of a text: its words
 * @property {number} [pieces] of pieces that are shown as one row: how many there are
 * @property {Row} [run] of a piece: the text that it belongs to
 * @property {string} [hook] of a hook's run: the key of the hook
 */

/** @typedef {typeof NAMESPACES[number] | "other"} Namespace */

/** The events for each piece of an answer: by far the most frequent ones, and the least interesting alone. */
export const DELTAS = new Set(["tui:message.delta", "tui:reasoning.delta"]);

/** The namespaces that processes send (seed 002); plugins may have others. */
export const NAMESPACES = /** @type {const} */ (["tui", "agent", "session", "command", "gateway"]);

/**
 * Parses the data of a server-sent event; undefined when it is not one of ours.
 *
 * @param {string} data
 * @returns {DashboardEvent | undefined}
 */
export function parseEvent(data) {
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    // Not from this dashboard's stream, so there is nothing to show.
    return undefined;
  }
  if (!isRecord(value) || !Number.isSafeInteger(value["seq"])) return undefined;
  const { at, src, event_type } = value;
  return {
    seq: Number(value["seq"]),
    at: Date.parse(textOf(at)),
    src: textOf(src),
    type: textOf(event_type),
    context: withoutStamps(value["context"]),
  };
}

/**
 * `_forwarded` and `_forwarded_from` describe the event's transport, not the event.
 *
 * @param {unknown} context
 */
function withoutStamps(context) {
  if (!isRecord(context)) return context === undefined || context === null ? {} : { context };
  const { _forwarded, _forwarded_from, ...rest } = context;
  return rest;
}

/**
 * @param {DashboardEvent} event
 * @returns {Row}
 */
export function rowOf(event) {
  const { seq, at, src, type, context } = event;
  const payload = payloadOf(context);
  return {
    ...(DELTAS.has(type) ? { piece: textOf(payload["text"]) } : {}),
    ...(type === "tui:hook.complete" ? { hook: hookKey(payload) } : {}),
    seq,
    at,
    src,
    type,
    namespace: namespaceOf(type),
    session: sessionOf(context),
    summary: summaryOf(type, context),
    tone: toneOf(type, context),
    text: JSON.stringify(context),
  };
}

/**
 * The session that an event is about; "" for none.
 *
 * @param {Record<string, unknown>} context
 */
export function sessionOf(context) {
  return textOf(context["session_id"]) || textOf(payloadOf(context)["session_id"]);
}

/**
 * @param {string} type
 * @returns {Namespace}
 */
function namespaceOf(type) {
  const name = type.slice(0, Math.max(0, type.indexOf(":")));
  return NAMESPACES.find((known) => known === name) ?? "other";
}
