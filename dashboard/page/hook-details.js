/** The details of a hook: how it is configured, how its last runs ended, and why it failed. Everything is text. */
import { commandLines, factsOf, quoted } from "./detail-parts.js";
import { el } from "./dom.js";
import { button } from "./event-view.js";
import { ago, clockTime, count, duration, shortId } from "./format.js";
import { percentile } from "./hooks-state.js";

/** @typedef {import("./hooks-state.js").HookStats} HookStats */
/** @typedef {import("./hooks-state.js").Run} Run */
/** @typedef {import("./configured-hooks.js").ConfiguredHook} ConfiguredHook */

/**
 * @typedef {object} HookHandlers
 * @property {(key: string) => void} onFilter shows only its runs in the feed
 * @property {(id: string) => void} onSession
 */

/** The lowest bar of a run, in per cent. */
const LEAST_BAR = 12;

/**
 * @param {HookStats | undefined} stats undefined for one without runs
 * @param {ConfiguredHook | undefined} configured
 * @param {HookHandlers} handlers
 * @returns {HTMLElement[]}
 */
export function hookDetails(stats, configured, handlers) {
  return [
    facts(stats, configured),
    ...cure(configured),
    ...(stats === undefined ? [note(configured)] : runsOf(stats, handlers)),
  ];
}

/** The events whose hooks can block: the failure of such a hook blocks, too, or is passed over. */
const GATES = new Set(["pre_tool_call", "pre_gateway_dispatch"]);

/**
 * @param {HookStats | undefined} stats
 * @param {ConfiguredHook | undefined} configured
 */
function facts(stats, configured) {
  const hook = stats ?? configured;
  const onFailure = configured?.failClosed === true ? "block" : "allow";
  return factsOf([
    ["Event", hook?.event ?? ""],
    ["Kind", hook?.source ?? ""],
    ["Command", configured?.command ?? ""],
    ["Tools", configured?.matcher ?? ""],
    ["Time limit", configured?.timeout === null || configured === undefined ? "" : `${configured.timeout} s`],
    ["On failure", configured !== undefined && GATES.has(configured.event) ? onFailure : ""],
    ["State", stateWords(configured)],
    ["Runs", stats === undefined ? "" : summaryOf(stats)],
  ]);
}

/** @param {ConfiguredHook | undefined} configured */
function stateWords(configured) {
  if (configured === undefined) return "not in the configuration now";
  const { state, problem } = configured;
  return [state || "may run", problem].filter((part) => part !== "").join(": ");
}

/** @param {HookStats} stats */
function summaryOf(stats) {
  const { calls, blocks, errors } = stats;
  const times = [percentile(stats, 0.5), percentile(stats, 0.95)].map(duration);
  const took = times[0] === "" ? "" : `${times[0]} (p50), ${times[1]} (p95)`;
  return [count(calls), `${count(blocks)} blocked`, `${count(errors)} failed`, took]
    .filter((part) => part !== "")
    .join(" · ");
}

/**
 * The command that lets an unapproved hook run.
 *
 * @param {ConfiguredHook | undefined} configured
 */
function cure(configured) {
  if (configured === undefined || !configured.isBad || configured.source !== "shell") return [];
  const { event, command, state } = configured;
  if (state === "broken" || state === "script missing") return commandLines(["hermes hooks doctor"]);
  return commandLines([`hermes hooks allow ${quoted(event)} ${quoted(command)}`]);
}

/** @param {ConfiguredHook | undefined} configured */
function note(configured) {
  const words = configured?.hasRun === true ? "It has not run while events were kept." : "It has never run.";
  return el("p", { class: "empty" }, words);
}

/**
 * @param {HookStats} stats
 * @param {HookHandlers} handlers
 */
function runsOf({ key, runs, failures }, { onFilter, onSession }) {
  const only = button("Only its runs in the feed", () => onFilter(key));
  const list = el("ol", { class: "failures" });
  for (const run of failures.toReversed()) list.append(failureEntry(run, onSession));
  const none = el("p", { class: "empty" }, "It has not blocked or failed while events were kept.");
  return [
    el("div", { class: "actions" }, only),
    el("h3", {}, runs.length === 1 ? "Last run" : `Last ${count(runs.length)} runs`),
    trend(runs),
    el("h3", {}, "Last failures and blocks"),
    failures.length === 0 ? none : list,
  ];
}

/**
 * A bar for each run, as high as it took long.
 *
 * @param {readonly Run[]} runs
 */
function trend(runs) {
  const longest = Math.max(1, ...runs.map(({ ms }) => ms ?? 0));
  const failed = runs.filter(({ failure }) => failure !== "").length;
  const blocked = runs.filter(({ outcome }) => outcome === "block").length;
  const words = `${count(failed)} failed, ${count(blocked)} blocked; the longest took ${duration(longest)}`;
  const bars = el("div", { class: "trend", role: "img", "aria-label": words });
  for (const run of runs) {
    const bar = el("span", { "data-tone": run.failure || (run.outcome === "block" ? "block" : "") });
    bar.style.height = `${Math.max(LEAST_BAR, Math.round(((run.ms ?? 0) / longest) * 100))}%`;
    bar.title = `${clockTime(run.at)} ${run.outcome}, ${duration(run.ms)}`;
    bars.append(bar);
  }
  return el("figure", { class: "trend-frame" }, bars, el("figcaption", { class: "note" }, words));
}

/**
 * @param {Run} run
 * @param {(id: string) => void} onSession
 */
function failureEntry({ at, outcome, failure: kind, reason, session, ms }, onSession) {
  const words = outcome === "block" && kind !== "" ? `block (${kind})` : outcome;
  const head = el(
    "div",
    { class: "head" },
    el("span", { class: "state" }, [words, duration(ms)].filter((part) => part !== "").join(" · ")),
    el("span", { class: "time", title: clockTime(at, true) }, ago(at, Date.now())),
  );
  if (session !== "") head.append(button(`Session ${shortId(session)}`, () => onSession(session)));
  return el("li", { "data-tone": kind || outcome }, head, el("p", {}, reason || "It gave no reason."));
}
