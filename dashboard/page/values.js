/** Reads values of contexts, which may be anything. No DOM. */

/**
 * An event from the dashboard, whose context is always an object.
 *
 * @typedef {object} DashboardEvent
 * @property {number} seq
 * @property {number} at in milliseconds since 1970
 * @property {string} src
 * @property {string} type
 * @property {Record<string, unknown>} context without the stamps of the forward path
 */

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A string as it is, a number or boolean as text; "" for anything else.
 *
 * @param {unknown} value
 */
export function textOf(value) {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/**
 * What a hook said or why it failed, without the hook's name and event, which the page shows next to it.
 *
 * @param {unknown} detail
 */
export function reasonOf(detail) {
  return textOf(detail).replace(/^\w+ hook ".*?" (?:failed at \w+: |(?=did not |gave an |was interrupted ))/s, "");
}

/**
 * A finite number, or null.
 *
 * @param {unknown} value
 */
export function numberOf(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/**
 * The strings of an array; none for anything else.
 *
 * @param {unknown} value
 */
export function textsOf(value) {
  return Array.isArray(value) ? value.map(textOf).filter((text) => text !== "") : [];
}

/**
 * A value as JSON on one line; "" for what JSON cannot represent.
 *
 * @param {unknown} value
 */
export function jsonOf(value) {
  return JSON.stringify(value) ?? "";
}

/**
 * The fields of an event: `tui:*` events wrap them in `payload`.
 *
 * @param {Record<string, unknown>} context
 */
export function payloadOf(context) {
  return isRecord(context["payload"]) ? context["payload"] : {};
}

/**
 * A one-line summary of a call: its most telling argument, else all of them.
 *
 * @param {unknown} params
 */
export function callSummary(params) {
  if (!isRecord(params)) return textOf(params);
  for (const name of ["command", "path", "pattern", "goal", "url", "query"]) {
    if (typeof params[name] === "string" && params[name] !== "") return params[name];
  }
  return Object.keys(params).length === 0 ? "" : jsonOf(params);
}
