/** Signs in: exchanges the code of a one-time link for a session cookie. */

/** @typedef {"in" | "out" | "unreachable"} Access */

/**
 * The code of a sign-in link, removed from the URL immediately, so that it is not in the history or on a screenshot.
 */
export function takeCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}

/**
 * Exchanges a code for a session. "refused" for one that is wrong, used or expired.
 *
 * @param {string} code
 * @returns {Promise<"in" | "refused" | "unreachable">}
 */
export async function signIn(code) {
  const body = JSON.stringify({ code });
  const response = await send("api/session", { method: "POST", headers: { "content-type": "application/json" }, body });
  if (response === undefined) return "unreachable";
  return response.ok ? "in" : "refused";
}

/** Whether there is a session. @returns {Promise<Access>} */
export async function findAccess() {
  const response = await send("api/session", {});
  if (response === undefined) return "unreachable";
  if (response.ok) return "in";
  return response.status === 401 || response.status === 403 ? "out" : "unreachable";
}

/** Ends the session in the browser and on the server. */
export async function signOut() {
  await send("api/session/end", { method: "POST" });
}

/**
 * @typedef {object} Status
 * @property {string} version
 * @property {string} started_at
 * @property {boolean} stored whether there is a database with tasks, deliveries and daemons
 * @property {number} events_total
 * @property {readonly SourceStatus[]} sources
 */

/**
 * @typedef {object} SourceStatus
 * @property {string} src
 * @property {number} rate_per_second
 * @property {number} events
 * @property {number} dropped
 * @property {boolean | null} connected whether one of its processes has a connection; null when that is not known
 * @property {string} last_at
 */

/**
 * The status of all sources. Undefined while the dashboard does not respond.
 *
 * @returns {Promise<Status | undefined>}
 */
export async function fetchStatus() {
  const response = await send("api/status", {});
  if (response === undefined || !response.ok) return undefined;
  try {
    return /** @type {Status} */ (await response.json());
  } catch {
    // The dashboard stopped in the middle of its response: same as none.
    return undefined;
  }
}

/**
 * What the dashboard answers to a request for JSON, or why there is nothing.
 *
 * @param {string} path
 * @param {AbortSignal} [signal] ends the request, which may otherwise take any time; without it, it has a few seconds
 * @returns {Promise<{ value: unknown } | { problem: string }>}
 */
export async function fetchJson(path, signal) {
  const response = await send(path, signal === undefined ? {} : { signal });
  if (response === undefined) return { problem: "The dashboard does not answer." };
  try {
    const value = /** @type {{ detail?: unknown }} */ (await response.json());
    return response.ok ? { value } : { problem: `Cannot be read: ${String(value.detail)}` };
  } catch {
    return { problem: "The dashboard stopped in the middle of its answer." };
  }
}

const ANSWER_WITHIN_MS = 8000;

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function send(path, options) {
  try {
    return await fetch(path, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), ...options });
  } catch {
    // The dashboard cannot be reached; the caller reports that.
    return undefined;
  }
}
