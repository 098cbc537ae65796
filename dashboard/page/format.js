/** Formats numbers, times and names. No DOM. */

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * The local time of day.
 *
 * @param {number} at in milliseconds since 1970
 * @param {boolean} [withMilliseconds]
 */
export function clockTime(at, withMilliseconds = false) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/**
 * Day and time, to the millisecond.
 *
 * @param {number} at
 */
export function fullTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "at an unknown time";
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(at, true)}`;
}

/**
 * How long ago something was.
 *
 * @param {number} at
 * @param {number} now
 */
export function ago(at, now) {
  // Clocks of two machines differ a little.
  if (now - at < 2000) return "now";
  const time = roughly(now - at);
  return time === "" ? "" : `${time} ago`;
}

/**
 * How long it is until something.
 *
 * @param {number} at
 * @param {number} now
 */
export function until(at, now) {
  if (at - now < 1000) return "now";
  const time = roughly(at - now);
  return time === "" ? "" : `in ${time}`;
}

/**
 * A length of time in its largest unit; "" for none.
 *
 * @param {number} ms
 */
export function roughly(ms) {
  const seconds = Math.floor(ms / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return `${Math.max(0, seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/**
 * A length of time.
 *
 * @param {number | null | undefined} ms
 */
export function duration(ms) {
  if (typeof ms !== "number" || !Number.isFinite(ms)) return "";
  if (ms < 1) return ms <= 0 ? "0 ms" : "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
}

/** @param {number} value */
export function count(value) {
  return Number.isFinite(value) ? grouped.format(value) : "0";
}

/**
 * Events in a second.
 *
 * @param {number} value
 */
export function rate(value) {
  if (!Number.isFinite(value) || value <= 0) return "0";
  return value < 10 ? value.toFixed(1) : count(value);
}

/**
 * "1 event", "2 events".
 *
 * @param {number} value
 * @param {string} noun
 */
export function counted(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/**
 * The distinctive part of a session's id, since ids start with the time.
 *
 * @param {string} id
 */
export function shortId(id) {
  return id.length <= 10 ? id : id.slice(-6);
}

/**
 * A hook's name for display: of a path, the script's name is more helpful than its folder.
 *
 * @param {string} name
 */
export function shortName(name) {
  return name.replace(/^\S*\/(?=[^\s/])/, "…/");
}

/**
 * A hook's name without the folder of its script.
 *
 * @param {string} name
 */
export function scriptName(name) {
  return shortName(name).replace(/^…\//, "");
}

/**
 * One line of a text, with at most this many characters.
 *
 * @param {string} text
 * @param {number} [most]
 */
export function oneLine(text, most = 200) {
  // Ignore everything far beyond the limit, however long the text is.
  const line = text
    .slice(0, most * 4)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > most || text.length > most * 4 ? `${line.slice(0, most).toWellFormed()}…` : line;
}

/**
 * A text of at most this many characters.
 *
 * @param {string} text
 * @param {number} most
 */
export function cut(text, most) {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}… (${count(text.length)} characters)` : text;
}
