/** What is wrong now, the most urgent first. No DOM. */
import { ago, count, counted, oneLine, roughly, scriptName } from "./format.js";
import { nameOf } from "./sessions-state.js";

/** @typedef {import("./session-events.js").Session} Session */
/** @typedef {import("./hooks-state.js").HookStats} HookStats */
/** @typedef {import("./session.js").SourceStatus} SourceStatus */

/** Where an alert leads. @typedef {{ session: string } | { hook: string } | { view: "sources" | "webhooks" | "hooks" }} Target */

/**
 * @typedef {object} Alert
 * @property {string} key the same for as long as the same thing is wrong
 * @property {"block" | "error" | "timeout"} tone
 * @property {string} text
 * @property {string} detail "" for none
 * @property {Target} target
 */

/**
 * @typedef {object} Facts
 * @property {readonly Session[]} sessions
 * @property {readonly HookStats[]} failing hooks whose last run failed
 * @property {readonly SourceStatus[]} sources
 * @property {readonly { attempts: number, last_error: string | null, endpoint: string }[]} deliveries that wait
 * @property {readonly import("./configured-hooks.js").ConfiguredHook[]} bad hooks that are switched on and cannot run
 * @property {number} now
 */

/** A turn without events for this long may hang, or belong to a killed process. */
export const QUIET_MS = 120_000;
/** A process that sends events has a connection for at least this long after them. */
const CONNECTED_MS = 60_000;
/** Its next event may just be on the way. */
const GONE_MS = 5000;
/** What failed longer ago is history. */
const RECENT_MS = 24 * 3_600_000;
const LONGEST_NAME = 60;
/** The events whose hooks can hold something up. */
const GUARDED = new Set(["pre_tool_call", "pre_gateway_dispatch", "pre_llm_call"]);

export class Alerts {
  /** How many events each source had dropped, and when that changed. @type {Map<string, { dropped: number, at: number }>} */
  #drops = new Map();

  /**
   * @param {Facts} facts
   * @returns {Alert[]}
   */
  list({ sessions, failing, sources, deliveries, bad, now }) {
    const recent = failing.filter(({ lastAt }) => now - lastAt < RECENT_MS);
    return [
      ...sessions.flatMap((session) => approval(session)),
      ...recent.filter(isGuard).map((hook) => failingHook(hook, now)),
      ...cannotRun(bad),
      ...sessions.flatMap((session) => stuck(session, sources, now)),
      ...sessions.flatMap((session) => retried(session, now)),
      ...recent.filter((hook) => !isGuard(hook)).map((hook) => failingHook(hook, now)),
      ...waiting(deliveries),
      ...sources.flatMap((source) => this.#dropping(source, now)),
    ];
  }

  clear() {
    this.#drops.clear();
  }

  /**
   * @param {SourceStatus} source
   * @param {number} now
   * @returns {Alert[]}
   */
  #dropping({ src, dropped }, now) {
    const known = this.#drops.get(src);
    const since = known?.dropped === dropped ? known : { dropped, at: now };
    this.#drops.set(src, since);
    if (dropped === 0 || now - since.at > DROPS_MS) return [];
    const text = `${src || "A process"} had to drop ${counted(dropped, "event")}`;
    return [{ key: `drops ${src}`, tone: "timeout", text, detail: "", target: { view: "sources" } }];
  }
}

/** For how long dropped events are news. */
const DROPS_MS = 600_000;

/** @param {HookStats} hook */
function isGuard({ event }) {
  return GUARDED.has(event);
}

/**
 * @param {Session} session
 * @returns {Alert[]}
 */
function approval(session) {
  const turn = session.turns.at(-1);
  if (session.state !== "running" || turn?.isOpen !== true) return [];
  return turn.items
    .filter(({ state }) => state === "asks")
    .map(({ id, label }) => ({
      key: `approval ${session.id} ${id}`,
      tone: "block",
      text: `${quoted(session)} waits for your approval of ${label || "a call"}`,
      detail: session.src === "gateway" ? "Answer in its chat." : "Answer in its terminal.",
      target: { session: session.id },
    }));
}

/**
 * @param {HookStats} hook
 * @param {number} now
 * @returns {Alert}
 */
function failingHook(hook, now) {
  const { key, name, event, runs, lastFailure } = hook;
  const failed = runs.filter(({ failure }) => failure !== "").length;
  const how = lastFailure?.failure === "timeout" ? "times out" : "fails";
  const many = runs.length === 1 ? "its only run" : `${count(failed)} of its last ${count(runs.length)} runs`;
  const share = `${many}, ${ago(hook.lastAt, now)}`;
  return {
    key: `hook ${key}`,
    tone: "error",
    text: `${isGuard(hook) ? "Guard" : "Hook"} ${scriptName(name) || "without a name"} ${how} on ${event}`,
    detail: [lastFailure?.reason ?? "", share].filter((part) => part !== "").join(" · "),
    target: { hook: key },
  };
}

/**
 * @param {Facts["bad"]} bad
 * @returns {Alert[]}
 */
function cannotRun(bad) {
  const [first] = bad;
  if (first === undefined) return [];
  const one = `Hook ${scriptName(first.name) || "without a name"} is ${first.state}`;
  const text = bad.length === 1 ? one : `${counted(bad.length, "hook")} cannot run`;
  const names = bad.map(({ name, state }) => `${scriptName(name)}: ${state}`).join(", ");
  const detail = bad.length === 1 ? first.problem : names;
  const target = bad.length === 1 ? { hook: first.key } : { view: /** @type {const} */ ("hooks") };
  return [{ key: "hooks", tone: "error", text, detail: oneLine(detail), target }];
}

/**
 * A running turn that says nothing, or whose process is gone.
 *
 * @param {Session} session
 * @param {readonly SourceStatus[]} sources
 * @param {number} now
 * @returns {Alert[]}
 */
function stuck(session, sources, now) {
  const { id, src, lastAt, state } = session;
  const silent = now - lastAt;
  if (state !== "running" || approval(session).length > 0) return [];
  const source = sources.find((one) => one.src === src);
  const isGone = source?.connected === false && silent > GONE_MS && silent < CONNECTED_MS;
  if (!isGone && silent <= QUIET_MS) return [];
  const isAway = source === undefined || source.connected === false;
  return [
    {
      key: `stuck ${id}`,
      tone: "timeout",
      text: isGone
        ? `${src || "A process"} has stopped in the middle of ${quoted(session)}`
        : `${quoted(session)} runs and has said nothing for ${roughly(silent)}`,
      detail: isAway ? `No ${src || "such"} process is connected; it may have been killed.` : "",
      target: { session: id },
    },
  ];
}

/**
 * @param {Session} session
 * @param {number} now
 * @returns {Alert[]}
 */
function retried(session, now) {
  const { id, retry, state } = session;
  if (retry === null || state !== "running") return [];
  const left = Math.max(0, Math.ceil((retry.until - now) / 1000));
  const text = `${quoted(session)} sends a failed model request again${left > 0 ? ` in ${left} s` : ""}`;
  return [{ key: `retry ${id}`, tone: "timeout", text, detail: retry.problem, target: { session: id } }];
}

/**
 * @param {Facts["deliveries"]} deliveries
 * @returns {Alert[]}
 */
function waiting(deliveries) {
  const again = deliveries.filter(({ attempts }) => attempts > 0);
  const [first] = again;
  if (first === undefined) return [];
  const text = `${counted(again.length, "webhook")} failed and ${again.length === 1 ? "is" : "are"} sent again`;
  const detail = [first.endpoint, first.last_error ?? ""].filter((part) => part !== "").join(": ");
  return [{ key: "webhooks", tone: "timeout", text, detail: oneLine(detail), target: { view: "webhooks" } }];
}

/** @param {Session} session */
function quoted(session) {
  return `“${oneLine(nameOf(session), LONGEST_NAME)}”`;
}
