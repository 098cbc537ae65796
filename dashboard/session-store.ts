/** Stores the sessions of signed-in browsers in `state.db`, so that they outlive the dashboard; only hashes of secrets. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { OncePerMinute } from "#core/rare-log";

/** What `SignIn` needs of a store. Nothing throws: a session that cannot be stored ends with the process. */
export interface SessionStore {
  /** When the session was last used, in milliseconds since 1970; undefined when there is none. */
  usedAt(hash: string): number | undefined;
  /** Stores a session or its last use, and forgets those that were used before `oldest` or are too many. */
  put(hash: string, usedAt: number, limits: { readonly oldest: number; readonly most: number }): void;
  delete(hash: string): void;
}

export class SqliteSessionStore implements SessionStore {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #rare = new OncePerMinute();
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  usedAt(hash: string): number | undefined {
    const row = this.#attempt(() => this.#sql("SELECT used_at FROM dashboard_sessions WHERE hash = ?").get(hash));
    return row === undefined ? undefined : Number(row["used_at"]);
  }

  put(hash: string, usedAt: number, { oldest, most }: { readonly oldest: number; readonly most: number }): void {
    this.#attempt(() => {
      this.#sql(
        `INSERT INTO dashboard_sessions (hash, used_at) VALUES (?, ?)
         ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at`,
      ).run(hash, usedAt);
      this.#sql(
        `DELETE FROM dashboard_sessions WHERE used_at < ?
         OR hash NOT IN (SELECT hash FROM dashboard_sessions ORDER BY used_at DESC, rowid DESC LIMIT ?)`,
      ).run(oldest, most);
    });
  }

  delete(hash: string): void {
    this.#attempt(() => this.#sql("DELETE FROM dashboard_sessions WHERE hash = ?").run(hash));
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, known);
    return known;
  }

  #attempt<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      if (this.#rare.isDue()) this.#log.warn(`dashboard: a sign-in is kept in memory only: ${problemOf(error)}`);
      return undefined;
    }
  }
}
