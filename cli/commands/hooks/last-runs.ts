/** How each hook ended when it last ran, from the end of `logs/hooks.jsonl`. */
import { readRuns } from "#core/home/run-log";
import type { LastRun, ListedHook } from "./listed-hook.ts";

/** Older runs are not looked for: reading stays quick, however long the log is. */
const MOST_RUNS = 500;

export type LastRuns = ReadonlyMap<string, LastRun>;

/** By event and name. None when the log cannot be read: `hermes hooks log` says why. */
export function readLastRuns(hookLog: string): LastRuns {
  try {
    return new Map(
      readRuns(hookLog, MOST_RUNS).map(({ time, outcome, cause, ...run }) => [key(run), { time, outcome, cause }]),
    );
  } catch {
    // A list of what is configured does not need the log.
    return new Map();
  }
}

/** The last run of a hook, or null; undefined for scripts of inbound webhooks, which have a log of their own. */
export function lastRunOf(hook: Pick<ListedHook, "event" | "name">, runs: LastRuns): LastRun | null | undefined {
  return runs.get(key(hook)) ?? (hook.event.startsWith("inbound:") ? undefined : null);
}

function key({ event, name }: Pick<ListedHook, "event" | "name">): string {
  return `${event}\n${name}`;
}
