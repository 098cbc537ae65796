/** Tasks, deliveries and daemons as the server lists them; read again while somebody looks at them. No DOM. */

/**
 * @typedef {object} Task
 * @property {string} id
 * @property {string} status
 * @property {string} prompt
 * @property {string} created_at
 * @property {string | null} started_at
 * @property {string | null} ended_at
 * @property {number | null} duration_seconds
 * @property {number} attempt
 * @property {number | null} position
 * @property {string | null} session_id
 * @property {string} cwd
 * @property {number | null} tokens_used
 * @property {number | null} tools_called
 * @property {number | null} exit_code
 * @property {string | null} ended_by
 * @property {string | null} error
 */

/**
 * @typedef {object} Delivery
 * @property {string} id
 * @property {string} event
 * @property {string} endpoint
 * @property {string} status
 * @property {number} attempts
 * @property {string | null} next_attempt_at
 * @property {number | null} last_status
 * @property {string | null} last_error
 * @property {string} created_at
 * @property {string | null} delivered_at
 */

/** @typedef {{ task: Task, output: readonly string[] }} TaskDetails */

/**
 * @typedef {object} DeliveryDetails
 * @property {Delivery} delivery
 * @property {string} payload
 * @property {readonly { at: string, status: number | null, error: string | null, duration_ms: number }[]} history
 */

/**
 * @typedef {object} Daemon
 * @property {string} name
 * @property {string} state
 * @property {number} queued
 * @property {string | null} session_id
 * @property {number | null} pid
 * @property {readonly { name: string, url: string | null, verify: string | null }[]} hooks
 * @property {string | null} started_at
 * @property {string | null} next_at
 */

/** @typedef {{ id: string, name: string, when: string, prompt: string, next_at: string }} Schedule */

/** @typedef {{ id: string, source: string, label: string, content: string, state: string, created_at: string }} Message */

/**
 * @typedef {object} DaemonDetails
 * @property {Daemon} daemon
 * @property {Record<string, number>} queued how many messages wait, by source
 * @property {readonly Schedule[]} schedules
 * @property {readonly Message[]} messages
 */

/**
 * What the server answers, kept with the problem of the last request. What was read stays when a request fails.
 *
 * @template Value
 */
export class StoredResource {
  /** @type {Value | undefined} */
  value;
  /** Why the last request failed, or "". */
  problem = "";
  #path = "";
  #asked = 0;
  #fetch;

  /** @param {(path: string) => Promise<{ value: unknown } | { problem: string }>} fetchJson */
  constructor(fetchJson) {
    this.#fetch = fetchJson;
  }

  /**
   * Reads from this path from now on; what was read from another one is forgotten.
   *
   * @param {string} path
   */
  point(path) {
    if (path === this.#path) return;
    this.#path = path;
    this.#asked++;
    this.value = undefined;
    this.problem = "";
  }

  /** Reads again. Resolves with whether anything is different. */
  async refresh() {
    const asked = ++this.#asked;
    const before = JSON.stringify([this.value, this.problem]);
    const answer = await this.#fetch(this.#path);
    // Meanwhile something newer was asked for.
    if (asked !== this.#asked) return false;
    if ("value" in answer) this.value = /** @type {Value} */ (answer.value);
    this.problem = "problem" in answer ? answer.problem : "";
    return JSON.stringify([this.value, this.problem]) !== before;
  }
}
