/** Which events the feed shows. No DOM. */
import { DELTA } from "./events.js";

/**
 * @typedef {object} Filter
 * @property {readonly string[]} namespaces those to show; none named shows all
 * @property {string} source "" for all
 * @property {string} session "" for all
 * @property {string} text looked for in what is shown of an event and in its context; case does not count
 * @property {boolean} deltas whether the pieces of answers are shown
 */

/** @type {Filter} */
export const EVERYTHING = { namespaces: [], source: "", session: "", text: "", deltas: true };

/**
 * Makes the question that is asked of every row.
 *
 * @param {Filter} filter
 * @returns {(row: import("./events.js").Row) => boolean}
 */
export function createMatcher({ namespaces, source, session, text, deltas }) {
  const words = text.trim();
  const pattern = words === "" ? undefined : literal(words);
  // A context is searched as JSON, where quotes, backslashes and line ends are written with a backslash.
  const inJson = words === "" ? undefined : literal(JSON.stringify(words).slice(1, -1));
  return (row) =>
    (namespaces.length === 0 || namespaces.includes(row.namespace)) &&
    (source === "" || row.src === source) &&
    (session === "" || row.session === session) &&
    (deltas || row.type !== DELTA) &&
    (pattern === undefined ||
      inJson === undefined ||
      pattern.test(row.summary) ||
      pattern.test(row.type) ||
      pattern.test(row.src) ||
      inJson.test(row.text));
}

/**
 * How many of the filter's parts keep something back.
 *
 * @param {Filter} filter
 */
export function countActive({ namespaces, source, session, text, deltas }) {
  return [namespaces.length > 0, source !== "", session !== "", text.trim() !== "", !deltas].filter(Boolean).length;
}

/** @param {string} text */
function literal(text) {
  return new RegExp(text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`), "iu");
}
