/** Lets one process at a time write a file. */
import { statSync, type BigIntStats } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { HermesError } from "#core/errors";

/** Thrown by a holder that lost its lock before it could write. */
class LockLost extends Error {}
const MOST_ATTEMPTS = 5;
const STALE_MS = 5000;
/** Longer than the lock of a killed holder lasts. */
const PATIENCE_MS = 2 * STALE_MS;

/**
 * Runs `task` while holding the lock of `file`. The file need not exist, but its folder must. The task is synchronous
 * and calls `isOurs` right before it writes: if another process took the lock meanwhile (this one was suspended for
 * too long), the task starts over. Throws HERMES_ALLOWLIST_LOCKED and whatever the task throws.
 */
export async function withLock(file: string, task: (isOurs: () => void) => void): Promise<void> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    if (await attemptUnderLock(file, task)) return;
  }
  throw new HermesError("HERMES_ALLOWLIST_LOCKED", { file });
}

/** True when the task has finished. */
async function attemptUnderLock(file: string, task: (isOurs: () => void) => void): Promise<boolean> {
  let compromised = false;
  const release = await acquire(file, () => {
    compromised = true;
  });
  const mine = identity(`${file}.lock`);
  try {
    task(() => {
      if (compromised || mine === undefined || identity(`${file}.lock`) !== mine) throw new LockLost();
    });
    return true;
  } catch (error) {
    if (error instanceof LockLost) return false;
    throw error;
  } finally {
    // A lost lock belongs to its new holder; the package would remove it anyway.
    if (mine !== undefined && identity(`${file}.lock`) === mine) await release().catch(() => undefined);
  }
}

/** Waits for a lock held by another process; the package's own retries would also retry on a read-only disk. */
async function acquire(file: string, onCompromised: () => void): Promise<() => Promise<void>> {
  const { lock } = await import("proper-lockfile");
  for (const deadline = performance.now() + PATIENCE_MS; ;) {
    try {
      return await lock(file, { realpath: false, stale: STALE_MS, retries: 0, onCompromised });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ELOCKED") throw error;
      if (performance.now() > deadline) throw new HermesError("HERMES_ALLOWLIST_LOCKED", { file });
      await delay(5 + Math.random() * 45);
    }
  }
}

/** Identifies one lock among later ones of the same name. */
function identity(lock: string): string | undefined {
  const stats: BigIntStats | undefined = statSync(lock, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
}
