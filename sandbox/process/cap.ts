/** A bound on how many processes of hooks run at the same time, however many events fire at once. */
import { runProcess, type ProcessOptions, type ProcessResult } from "./run.ts";

/** For one host. More would only take the machine's time from each other, and its processes from everybody else. */
export const MOST_AT_ONCE = 16;

let running = 0;
/** In the order in which they came. */
const waiting = new Set<() => void>();

/**
 * Like `runProcess`, once there is a place: at most {@link MOST_AT_ONCE} run at a time. Its time-out begins with the
 * process, not with the wait; an abort ends the wait. Never throws or rejects.
 */
export async function runWithinCap(options: ProcessOptions): Promise<ProcessResult> {
  if (running < MOST_AT_ONCE) running++;
  else if (!(await place(options.signal))) return runProcess(options);
  try {
    return await runProcess(options);
  } finally {
    leave();
  }
}

/** Waits for a place. False when the signal came first: whoever is aborted starts no process and needs none. */
function place(signal: AbortSignal | undefined): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const decide = (granted: boolean) => {
      waiting.delete(enter);
      signal?.removeEventListener("abort", giveUp);
      resolve(granted);
    };
    const enter = () => decide(true);
    const giveUp = () => decide(false);
    waiting.add(enter);
    signal?.addEventListener("abort", giveUp, { once: true });
  });
}

/** Hands the place to the next one, or gives it up. */
function leave(): void {
  const [next] = waiting;
  if (next === undefined) running--;
  else next();
}
