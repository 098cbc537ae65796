/** One writer of a file at a time, over processes. */
import { statSync, type BigIntStats } from "node:fs";
import { HermesError } from "#core/errors";

/** What a holder throws when it lost its lock before it wrote. */
class LockLost extends Error {}
const MOST_ATTEMPTS = 5;

/**
 * Runs `task` under the lock of `file`, which need not exist; its folder must. The task is synchronous and calls
 * `isOurs` right before it writes: if the lock was taken over meanwhile (this process was stopped for longer than
 * a lock lasts), the task runs again from its start. Throws HERMES_ALLOWLIST_LOCKED, and what the task throws.
 */
export async function withLock(file: string, task: (isOurs: () => void) => void): Promise<void> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    if (await attemptUnderLock(file, task)) return;
  }
  throw new HermesError("HERMES_ALLOWLIST_LOCKED", { file });
}

/** True when the task ran to its end. */
async function attemptUnderLock(file: string, task: (isOurs: () => void) => void): Promise<boolean> {
  const { lock } = await import("proper-lockfile");
  let compromised = false;
  const release = await lock(file, {
    realpath: false,
    stale: 5000,
    // About 10 s in all: longer than a lock lasts whose holder was killed.
    retries: { retries: 200, factor: 1.2, minTimeout: 5, maxTimeout: 50, randomize: true },
    onCompromised: () => {
      compromised = true;
    },
  }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === "ELOCKED") throw new HermesError("HERMES_ALLOWLIST_LOCKED", { file });
    throw error;
  });
  try {
    const mine = identity(`${file}.lock`);
    task(() => {
      if (compromised || mine === undefined || identity(`${file}.lock`) !== mine) throw new LockLost();
    });
    return true;
  } catch (error) {
    if (error instanceof LockLost) return false;
    throw error;
  } finally {
    // A lock that was lost is released by its new holder.
    await release().catch(() => undefined);
  }
}

/** What tells one lock from the next one under the same name. */
function identity(lock: string): string | undefined {
  const stats: BigIntStats | undefined = statSync(lock, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
}
