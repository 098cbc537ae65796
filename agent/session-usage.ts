/** The tokens that a session's turns took, as the model's server counted them. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type { UsageRecord } from "#core/ports/agent";
import type { UsagePart } from "#core/usage-text";

export class SessionUsage {
  readonly #database: DatabaseSync;
  readonly #onWriteFailure: (error: unknown) => void;

  constructor(database: DatabaseSync, onWriteFailure: (error: unknown) => void) {
    this.#database = database;
    this.#onWriteFailure = onWriteFailure;
  }

  /** Stores what a turn or a summary took. A failed write is reported, not thrown. */
  add(sessionId: string, usage: Omit<UsageRecord, "at">): void {
    const { kind, model, input_tokens, output_tokens, context_tokens } = usage;
    try {
      transaction(this.#database, () =>
        this.#database
          .prepare(
            `INSERT INTO session_usage (session_id, kind, at, model, input_tokens, output_tokens, context_tokens)
             SELECT id, ?, ?, ?, ?, ?, ? FROM sessions WHERE id = ?`,
          )
          .run(kind, new Date().toISOString(), model, input_tokens, output_tokens, context_tokens, sessionId),
      );
    } catch (error) {
      this.#onWriteFailure(error);
    }
  }

  /** Oldest first. Throws what SQLite throws. */
  of(sessionId: string): readonly UsageRecord[] {
    return this.#database
      .prepare(
        `SELECT kind, at, model, input_tokens, output_tokens, context_tokens FROM session_usage
         WHERE session_id = ? ORDER BY number`,
      )
      .all(sessionId)
      .map((row) => ({ ...row }) as unknown as UsageRecord);
  }

  /** What each of these sessions took, by model; those that took nothing are missing. Throws what SQLite throws. */
  byModel(sessionIds: readonly string[]): ReadonlyMap<string, readonly UsagePart[]> {
    const rows = this.#database
      .prepare(
        `SELECT session_id, model, COUNT(*) AS turns,
           SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens
         FROM session_usage WHERE session_id IN (SELECT value FROM json_each(?)) GROUP BY session_id, model`,
      )
      .all(JSON.stringify(sessionIds)) as unknown as readonly (UsagePart & { readonly session_id: string })[];
    return Map.groupBy(rows, ({ session_id }) => session_id);
  }
}
