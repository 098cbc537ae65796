/** Which events the feed shows. No DOM. */
/**
 * @typedef {object} Filter
 * @property {readonly string[]} namespaces those to show; an empty list shows all
 * @property {string} source "" for all
 * @property {string} session "" for all
 * @property {string} text searched in the shown text of an event and in its context, ignoring case
 * @property {string} hook the key of the hook whose runs to show; "" for all events
 * @property {boolean} pieces whether each piece of a text has a row, instead of the text as a whole
 */

/** @type {Filter} */
export const EVERYTHING = { namespaces: [], source: "", session: "", text: "", hook: "", pieces: false };

/**
 * Creates the predicate for rows.
 *
 * @param {Filter} filter
 * @returns {(row: import("./events.js").Row) => boolean}
 */
export function createMatcher({ namespaces, source, session, text, hook }) {
  const words = text.trim();
  const pattern = words === "" ? undefined : literal(words);
  // A context is searched as JSON, where quotes, backslashes and newlines are escaped.
  const inJson = words === "" ? undefined : literal(JSON.stringify(words).slice(1, -1));
  return (row) =>
    (namespaces.length === 0 || namespaces.includes(row.namespace)) &&
    (source === "" || row.src === source) &&
    (session === "" || row.session === session) &&
    (hook === "" || row.hook === hook) &&
    (pattern === undefined ||
      inJson === undefined ||
      pattern.test(row.summary) ||
      pattern.test(row.type) ||
      pattern.test(row.src) ||
      inJson.test(row.text));
}

/**
 * How many parts of the filter hold something back.
 *
 * @param {Filter} filter
 */
export function countActive({ namespaces, source, session, text, hook }) {
  return [namespaces.length > 0, source !== "", session !== "", text.trim() !== "", hook !== ""].filter(Boolean).length;
}

/** @param {string} text */
function literal(text) {
  return new RegExp(text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`), "iu");
}
