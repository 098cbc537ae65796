/** Limits how many hook processes run at the same time, however many events fire at once. */
import { runProcess, type ProcessOptions, type ProcessResult } from "./run.ts";

/** Per host. More processes would only slow each other down and use up the system's process limit. */
export const MOST_AT_ONCE = 16;

let running = 0;
/** In order of arrival. */
const waiting = new Set<() => void>();

/**
 * Like `runProcess`, but waits for a free slot: at most {@link MOST_AT_ONCE} run at a time. The timeout starts with
 * the process, not with the wait; an abort ends the wait. Never throws or rejects.
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

/** Waits for a slot. False when the signal aborted first: then no process is started and no slot is taken. */
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

/** Gives the slot to the next one in the queue, or frees it. */
function leave(): void {
  const [next] = waiting;
  if (next === undefined) running--;
  else next();
}
