/** The last replay as the server gives it, and what the page says of it. No DOM. */
import { ago, count, counted, fullTime } from "./format.js";

/**
 * @typedef {object} Change
 * @property {string} time
 * @property {string} event
 * @property {string} session_id
 * @property {string | null} tool_name
 * @property {string} recorded
 * @property {string} now
 * @property {string | null} hook
 * @property {string | null} message
 * @property {true} [redacted]
 * @property {true} [truncated]
 */

/**
 * @typedef {object} Replay
 * @property {string} ran_at
 * @property {{ session: string | null, since: string | null, event: string | null, hook: string | null }} filters
 * @property {{ added: readonly string[], removed: readonly string[] }} hooks
 * @property {number} firings
 * @property {number} same
 * @property {number} changed
 */

/**
 * @typedef {object} LastReplay
 * @property {Replay | null} replay
 * @property {readonly { event: string, changed: number }[]} events those of the changes that are kept
 * @property {readonly Change[]} changed
 */

/**
 * How many firings would end differently.
 *
 * @param {Replay} replay
 */
export function replayResult({ firings, same, changed }) {
  if (firings === 0) return "No recorded firing matched.";
  if (changed === 0) return `No: all of ${counted(firings, "firing")} would end the same.`;
  return `${count(changed)} of ${counted(firings, "firing")} would end differently, ${count(same)} the same.`;
}

/**
 * When it was, what it was limited to, and how the hooks differ.
 *
 * @param {Replay} replay
 * @param {number} now
 */
export function replayFacts({ ran_at: ranAt, filters, hooks }, now) {
  const { session, since, event, hook } = filters;
  return [
    `Replayed ${ago(Date.parse(ranAt), now)}`,
    event === null ? "" : `only ${event}`,
    session === null ? "" : `only session ${session}`,
    since === null ? "" : `since ${momentOf(since)}`,
    hook === null ? "" : `compares ${hook} alone`,
    hooks.added.length === 0 ? "" : `ran only now: ${hooks.added.join(", ")}`,
    hooks.removed.length === 0 ? "" : `ran only then: ${hooks.removed.join(", ")}`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

/**
 * Day and time, to the second.
 *
 * @param {string} time
 */
export function momentOf(time) {
  return fullTime(Date.parse(time)).replace(/\.\d+$/, "");
}

/**
 * The message, and why the hooks got another payload than then.
 *
 * @param {Change} change
 */
export function messageOf({ message, redacted, truncated }) {
  const marks = [redacted === true ? "(redacted)" : "", truncated === true ? "(truncated)" : ""];
  return [message ?? "", ...marks].filter((part) => part !== "").join(" ");
}
