/** The conversations of a host: `state.db`, or a substitute where that cannot be written. */
import type { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import type { HomePaths } from "#core/home/paths";
import { sweepSessionFiles } from "#sandbox/shell/session-files";
import type { SqliteSessions } from "#agent/sessions";
import { explainDamage } from "./damaged-state.ts";

export interface HostSessions {
  readonly store: SqliteSessions;
  readonly database: DatabaseSync;
  /** Soon deletes what was not used for this many days, unless the returned function is called before. */
  pruneSoon(retentionDays: number): () => void;
  close(): void;
}

/** Opens the database. Throws HERMES_STATE_NEWER; else what goes wrong is a warning, and nothing of the run is kept. */
export async function openSessions(
  { state, sessionFiles }: Pick<HomePaths, "state" | "sessionFiles">,
  warnOnce: (sentence: string) => void,
): Promise<HostSessions> {
  const { openDatabase, openForReading, openMemoryDatabase } = await import("#core/home/database");
  const { SqliteSessions: Store } = await import("#agent/sessions");
  let database: DatabaseSync;
  try {
    database = openDatabase(state, warnOnce);
  } catch (error) {
    if ((error as { code?: unknown }).code === "HERMES_STATE_NEWER") throw error;
    warnOnce(`This session will not be saved: ${problemOf(error)}`);
    database = openForReading(state) ?? openMemoryDatabase();
  }
  const store = new Store(database, (error) => {
    const shown = explainDamage(error, state);
    const problem = shown === error ? `${state} cannot be written: ${problemOf(error)}` : problemOf(shown);
    warnOnce(`New messages will not be saved: ${problem}`);
  });
  return {
    store,
    database,
    pruneSoon(retentionDays) {
      const pruning = setImmediate(() => {
        store.prune(retentionDays);
        // A substitute knows none of the sessions.
        if (database.location() !== null) sweepSessionFiles(sessionFiles, store);
      });
      return () => clearImmediate(pruning);
    },
    close: () => database.close(),
  };
}
