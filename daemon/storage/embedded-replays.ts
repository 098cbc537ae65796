/** The last replay in `state.db`. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type { ChangedEvent, ChangedFiring, ReplayStore, ReplaySummary } from "#core/ports/replays";
import { truncate } from "#core/truncate";
import { Statements } from "./statements.ts";

const MOST_CHANGES = 500;
const LONGEST_TEXT = 400;

const SQL = {
  clear: "DELETE FROM replays",
  clearChanges: "DELETE FROM replay_changes",
  save: "INSERT INTO replays (summary) VALUES (?)",
  addChange: "INSERT INTO replay_changes (event, session_id, change) VALUES (?, ?, ?)",
  last: "SELECT summary FROM replays",
  changes: `SELECT change FROM replay_changes WHERE (:event IS NULL OR event = :event)
    ORDER BY number DESC LIMIT :limit`,
  changedEvents: "SELECT event, COUNT(*) AS changed FROM replay_changes GROUP BY event ORDER BY event",
} as const;

export class EmbeddedReplays implements ReplayStore {
  readonly #database: DatabaseSync;
  readonly #sql: Statements<keyof typeof SQL>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
  }

  async save(replay: ReplaySummary, changed: readonly ChangedFiring[]): Promise<void> {
    const kept = changed.slice(-MOST_CHANGES).map(shortened);
    transaction(this.#database, () => {
      this.#sql.run("clear");
      this.#sql.run("clearChanges");
      this.#sql.run("save", JSON.stringify(replay));
      for (const change of kept) this.#sql.run("addChange", change.event, change.session_id, JSON.stringify(change));
    });
  }

  async last(): Promise<ReplaySummary | undefined> {
    const [row] = this.#sql.rows<{ summary: string }>("last");
    return row === undefined ? undefined : (JSON.parse(row.summary) as ReplaySummary);
  }

  async changes({ event, limit }: Parameters<ReplayStore["changes"]>[0]): Promise<readonly ChangedFiring[]> {
    const rows = this.#sql.rows<{ change: string }>("changes", { event: event ?? null, limit });
    return rows.map(({ change }) => JSON.parse(change) as ChangedFiring);
  }

  async changedEvents(): Promise<readonly ChangedEvent[]> {
    return this.#sql.rows<ChangedEvent>("changedEvents");
  }
}

/** A tool's name is the model's, and a hook's the user's: neither has a limit of its own. */
function shortened(change: ChangedFiring): ChangedFiring {
  const cut = (text: string | null) => (text === null ? null : truncate(text, LONGEST_TEXT));
  return { ...change, tool_name: cut(change.tool_name), hook: cut(change.hook), message: cut(change.message) };
}
