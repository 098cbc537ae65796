/** Waits for what says nothing when it changes: files, processes, counters of another part. */
import { setTimeout as pause } from "node:timers/promises";

export interface PollOptions {
  /** Generous by default: a bound that a test is about is compared with a peer instead. */
  readonly withinMs?: number;
  /** What the failure shows beside the description: how far it came. Anything but a string is shown as JSON. */
  readonly seen?: () => unknown;
}

const WITHIN_MS = 60_000;
const PAUSE_MS = 10;

/**
 * Waits until `condition` gives something other than undefined, null or false, and gives that. `what` describes it for
 * the failure: "the worker has started". A condition that throws fails at once.
 */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  what: string,
  { withinMs = WITHIN_MS, seen }: PollOptions = {},
): Promise<NonNullable<Value>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const isLast = performance.now() >= deadline;
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (isLast)
      throw new Error(`waited ${withinMs / 1000} s in vain: ${what}${seen === undefined ? "" : shown(seen())}`);
    await pause(PAUSE_MS);
  }
}

function shown(value: unknown): string {
  return `\n${typeof value === "string" ? value : JSON.stringify(value, null, 2)}`;
}
