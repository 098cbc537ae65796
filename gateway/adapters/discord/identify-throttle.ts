/** Spaces new sessions: Discord resets the token of a bot that starts more than 1,000 a day. */
import { setTimeout as sleep } from "node:timers/promises";
import { growingPause, type Backoff } from "#core/backoff";

/** A session that lives this long was worth its start. */
const CALM_MS = 15 * 60_000;

/** Returns a function that resolves when the next session may be started, and rejects when its signal aborts. */
export function createIdentifyThrottle(backoff: Backoff): (signal: AbortSignal) => Promise<void> {
  let lastAt = Number.NEGATIVE_INFINITY;
  let recent = 0;
  return async (signal) => {
    if (performance.now() - lastAt > CALM_MS) recent = 0;
    const pause = recent === 0 ? 0 : growingPause(recent - 1, backoff);
    const rest = lastAt + pause - performance.now();
    if (rest > 0) await sleep(rest, undefined, { signal, ref: false });
    lastAt = performance.now();
    recent++;
  };
}
