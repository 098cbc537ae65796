/** One writer of a file at a time, over processes. */
import { statSync, type BigIntStats } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { HermesError } from "#core/errors";

/** What a holder throws when it lost its lock before it wrote. */
class LockLost extends Error {}
const MOST_ATTEMPTS = 5;
const STALE_MS = 5000;
/** Longer than a lock lasts whose holder was killed. */
const PATIENCE_MS = 2 * STALE_MS;

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
    // A lock that was lost belongs to its new holder: the package would take it away from under him.
    if (mine !== undefined && identity(`${file}.lock`) === mine) await release().catch(() => undefined);
  }
}

/** Waits for a lock that another holds; the package's own retries would also wait for a read-only disk to change. */
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

/** What tells one lock from the next one under the same name. */
function identity(lock: string): string | undefined {
  const stats: BigIntStats | undefined = statSync(lock, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
}
