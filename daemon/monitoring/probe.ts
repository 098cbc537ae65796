/** Whether the home's database takes writes, asked by writing. */
import { setTimeout as pause } from "node:timers/promises";

export interface DatabaseProbe {
  /** Null when the database takes writes, else why not. Asks at most once in {@link FRESH_MS}. Never rejects. */
  problem(): Promise<string | null>;
}

/** Writes one row. Throws what the engine throws, at once while another process writes. */
export type ProbeWrite = () => void;

const FRESH_MS = 2000;
/** Another process may be writing: it is asked again for this long. */
const BUSY_MS = 3000;
const PAUSE_MS = 100;

export function createProbe(write: ProbeWrite, problemOf: (error: unknown) => string): DatabaseProbe {
  let asking: Promise<string | null> | undefined;
  let last: { readonly problem: string | null; readonly at: number } | undefined;

  async function ask(): Promise<string | null> {
    const deadline = performance.now() + BUSY_MS;
    for (;;) {
      try {
        write();
        return null;
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) return problemOf(error);
      }
      await pause(PAUSE_MS);
    }
  }

  return {
    async problem() {
      if (last !== undefined && performance.now() - last.at < FRESH_MS) return last.problem;
      const problem = await (asking ??= ask());
      asking = undefined;
      last = { problem, at: performance.now() };
      return problem;
    },
  };
}

/** SQLITE_BUSY and SQLITE_LOCKED. */
function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown };
  return errcode === 5 || errcode === 6;
}
