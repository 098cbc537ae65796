/** Statistics of every hook: calls, blocks, errors, durations. No DOM. */
import { oneLine, scriptName } from "./format.js";
import { numberOf, payloadOf, reasonOf, textOf } from "./values.js";

/** How many of the last runs the percentiles cover. */
const MOST_SAMPLES = 256;
const MOST_HOOKS = 300;
const MOST_RUNS = 60;
const MOST_FAILURES = 20;
const LONGEST_REASON = 400;

/**
 * @typedef {object} HookStats
 * @property {string} key
 * @property {string} event
 * @property {string} source
 * @property {string} name
 * @property {number} calls
 * @property {number} blocks
 * @property {number} errors failures and timeouts, including those of guards that blocked as a result
 * @property {Float64Array} samples durations of the last runs, in milliseconds
 * @property {number} sampled how many durations were recorded so far
 * @property {Run[]} runs the last ones, the newest last
 * @property {Run[]} failures the last failures and blocks, the newest last
 * @property {Run | null} lastFailure
 * @property {boolean} isFailing whether its last run failed
 * @property {number} lastAt
 */

/**
 * A run of a hook. `failure` is how it failed (also that of a guard that blocked as a result), or "".
 *
 * @typedef {{ at: number, seq: number, outcome: string, failure: string, reason: string, session: string,
 *   ms: number | null }} Run
 */

/** @typedef {"name" | "event" | "calls" | "blocks" | "errors" | "p50" | "p95" | "failed"} HookColumn */

export class Hooks {
  /** By key, the most recently run last. @type {Map<string, HookStats>} */
  #hooks = new Map();
  /** Those that are configured, but have no run. @type {HookStats[]} */
  #idle = [];

  /** How many have run. */
  get size() {
    return this.#hooks.size;
  }

  /**
   * Lists these, too, as far as they have not run.
   *
   * @param {readonly { key: string, event: string, source: string, name: string }[]} configured
   */
  setConfigured(configured) {
    const ran = [...this.#hooks.values()];
    this.#idle = configured
      .filter((hook) => !ran.some((one) => isRunOf(one, hook)))
      .map(({ key, event, source, name }) => newHook(key, event, source, name));
  }

  /**
   * Takes an event; true when it was the run of a hook.
   *
   * @param {import("./values.js").DashboardEvent} event
   */
  add({ seq, type, at, context }) {
    if (type !== "tui:hook.complete") return false;
    const run = payloadOf(context);
    const hook = this.#find(textOf(run["event"]), textOf(run["source"]), textOf(run["name"]));
    const outcome = textOf(run["outcome"]);
    const failure = failureOf(outcome, textOf(run["cause"]));
    const ms = numberOf(run["duration_ms"]);
    const reason = oneLine(reasonOf(run["detail"]), LONGEST_REASON);
    const session = textOf(context["session_id"]);
    /** @type {Run} */
    const told = { at, seq, outcome, failure, reason, session, ms };
    hook.calls++;
    hook.lastAt = at;
    hook.isFailing = failure !== "";
    keep(hook.runs, told, MOST_RUNS);
    if (outcome === "block") hook.blocks++;
    if (failure !== "") {
      hook.errors++;
      hook.lastFailure = told;
    }
    if (failure !== "" || outcome === "block") keep(hook.failures, told, MOST_FAILURES);
    if (ms !== null) {
      hook.samples[hook.sampled % MOST_SAMPLES] = ms;
      hook.sampled++;
    }
    return true;
  }

  clear() {
    this.#hooks.clear();
  }

  /** @param {string} key */
  get(key) {
    return this.#hooks.get(key);
  }

  /** Those whose last run failed. */
  failing() {
    return [...this.#hooks.values()].filter(({ isFailing }) => isFailing);
  }

  /**
   * @param {HookColumn} column
   * @param {boolean} descending
   */
  sorted(column, descending) {
    const direction = descending ? -1 : 1;
    const value = SORTED_BY[column];
    const rows = [...this.#hooks.values(), ...this.#idle].map((hook) => ({ hook, value: value(hook) }));
    // Equal rows are ordered by key, so that they do not jump around.
    rows.sort((a, b) => direction * compare(a.value, b.value) || compare(a.hook.key, b.hook.key));
    return rows.map(({ hook }) => hook);
  }

  /**
   * @param {string} event
   * @param {string} source
   * @param {string} name
   */
  #find(event, source, name) {
    const key = hookKey({ event, source, name });
    const hook = this.#hooks.get(key) ?? newHook(key, event, source, name);
    this.#hooks.delete(key);
    this.#hooks.set(key, hook);
    const [oldest] = this.#hooks.keys();
    if (this.#hooks.size > MOST_HOOKS && oldest !== undefined) this.#hooks.delete(oldest);
    return hook;
  }
}

/**
 * What tells a hook from all others.
 *
 * @param {{ event?: unknown, source?: unknown, name?: unknown }} hook
 */
export function hookKey({ event, source, name }) {
  return JSON.stringify([textOf(event), textOf(source), textOf(name)]);
}

/**
 * The short name of the hook with this key; "" for no key.
 *
 * @param {string} key
 */
export function nameOfHook(key) {
  return key === "" ? "" : scriptName(textOf(JSON.parse(key)[2])) || "(no name)";
}

/**
 * @param {{ event: string, source: string, name: string }} run
 * @param {{ event: string, source: string, name: string }} configured
 */
function isRunOf({ event, source, name }, configured) {
  if (source !== configured.source || name !== configured.name) return false;
  return event === configured.event || `${event.slice(0, event.indexOf(":") + 1)}*` === configured.event;
}

/** @type {Record<HookColumn, (hook: HookStats) => string | number>} */
const SORTED_BY = {
  name: ({ name }) => scriptName(name).toLowerCase(),
  event: ({ event }) => event,
  calls: ({ calls }) => calls,
  blocks: ({ blocks }) => blocks,
  errors: ({ errors }) => errors,
  p50: (hook) => percentile(hook, 0.5) ?? -1,
  p95: (hook) => percentile(hook, 0.95) ?? -1,
  failed: ({ lastFailure }) => lastFailure?.at ?? 0,
};

/**
 * The given percentile of the last runs' durations; null when none was measured.
 *
 * @param {Pick<HookStats, "samples" | "sampled">} hook
 * @param {number} share 0 to 1
 */
export function percentile({ samples, sampled }, share) {
  const sorted = samples.subarray(0, Math.min(sampled, MOST_SAMPLES)).toSorted();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/**
 * @param {string} key
 * @param {string} event
 * @param {string} source
 * @param {string} name
 * @returns {HookStats}
 */
function newHook(key, event, source, name) {
  const samples = new Float64Array(MOST_SAMPLES);
  return {
    key,
    event,
    source,
    name,
    calls: 0,
    blocks: 0,
    errors: 0,
    samples,
    sampled: 0,
    runs: [],
    failures: [],
    lastFailure: null,
    isFailing: false,
    lastAt: 0,
  };
}

/**
 * @param {Run[]} runs
 * @param {Run} run
 * @param {number} most
 */
function keep(runs, run, most) {
  runs.push(run);
  if (runs.length > most) runs.shift();
}

/**
 * @param {string} outcome
 * @param {string} cause
 */
function failureOf(outcome, cause) {
  if (outcome === "error" || outcome === "timeout") return outcome;
  return outcome === "block" ? cause : "";
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
