/** The SQL of sessions and their messages. Every method throws what SQLite throws. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ChatMessage } from "#core/messages";
import type { Session, StoredMessage } from "#core/ports/agent";
import { activeMessages } from "./compaction.ts";
import { startsTurn } from "./history.ts";

/** A session as stored in the database. Times are ISO-8601 UTC. */
export interface StoredSession extends Session {
  readonly title: string | null;
  /** The last model it used. */
  readonly model: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** When its first turn started; null before that. */
  readonly started_at: string | null;
  readonly message_count: number;
  /** The folder that it was started in; null if it was not started on a terminal, or by an older version. */
  readonly cwd: string | null;
}

/** True for one that had a turn and is not of a plugin's own turns. */
export function isConversation({ source, started_at: started, message_count: messages }: StoredSession): boolean {
  return (started !== null || messages > 0) && !source.startsWith("plugin:");
}

const COLUMNS = `id, key, platform, source, parent, title, model, created_at, updated_at, started_at, cwd,
  (SELECT count(*) FROM messages WHERE session_id = sessions.id) AS message_count`;

/** A session and the sessions of its child agents, at every depth. */
const FAMILY = `WITH RECURSIVE family (id) AS (
  SELECT id FROM sessions WHERE id = ? UNION SELECT sessions.id FROM sessions JOIN family ON sessions.parent = family.id)`;

const IS_EMPTY = `key IS NULL AND NOT EXISTS (SELECT 1 FROM messages WHERE session_id = sessions.id)
  AND NOT EXISTS (SELECT 1 FROM sessions AS child WHERE child.parent = sessions.id)`;

/** As in the index `messages_of_system`, which SQLite would not choose by itself. */
const IS_SYSTEM = "CASE WHEN json_valid(message) THEN message ->> '$.role' = 'system' END";

type Value = string | number | null;

export class SessionTables {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  putSession(session: StoredSession): void {
    this.#run(
      `INSERT INTO sessions (id, key, platform, source, parent, title, model, created_at, updated_at, started_at, cwd)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET title = excluded.title, model = excluded.model,
         updated_at = excluded.updated_at, started_at = excluded.started_at`,
      session.id,
      session.key,
      session.platform,
      session.source,
      session.parent,
      session.title,
      session.model,
      session.created_at,
      session.updated_at,
      session.started_at,
      session.cwd,
    );
  }

  get(id: string): StoredSession | undefined {
    return this.#all(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`, id)[0];
  }

  /** Ids that begin like this, newest first. */
  idsStartingWith(beginning: string, limit: number): string[] {
    return this.#statement("SELECT id FROM sessions WHERE id >= ?1 AND id < ?1 || '~' ORDER BY rowid DESC LIMIT ?2")
      .all(beginning, limit)
      .map(({ id }) => String(id));
  }

  list(options: { platform?: string; key?: string; children?: boolean; limit?: number }): StoredSession[] {
    return this.#all(
      `SELECT ${COLUMNS} FROM sessions
       WHERE (?1 IS NULL OR platform = ?1) AND (?2 IS NULL OR key = ?2) AND (?3 OR parent IS NULL)
       ORDER BY updated_at DESC, rowid DESC LIMIT ?4`,
      options.platform ?? null,
      options.key ?? null,
      Number(options.children ?? false),
      options.limit ?? -1,
    );
  }

  /** Ordered by rowid, which grows with every session, whatever the clock says. */
  newestWith(key: string): StoredSession | undefined {
    return this.#all(`SELECT ${COLUMNS} FROM sessions WHERE key = ? ORDER BY rowid DESC LIMIT 1`, key)[0];
  }

  /** Renames the key `from`, and keys that begin with it and a colon. */
  moveKeys(from: string, to: string): void {
    this.#run(
      `UPDATE sessions SET key = ?2 || substr(key, length(?1) + 1)
       WHERE substr(key || ':', 1, length(?1) + 1) = ?1 || ':'`,
      from,
      to,
    );
  }

  setColumn(id: string, column: "title" | "model" | "started_at", value: string | null): void {
    this.#run(`UPDATE sessions SET ${column} = ?, updated_at = ? WHERE id = ?`, value, now(), id);
  }

  append(id: string, message: ChatMessage): void {
    this.#run(
      `INSERT INTO messages (session_id, position, message, created_at)
       VALUES (?1, (SELECT coalesce(max(position), -1) + 1 FROM messages WHERE session_id = ?1), ?2, ?3)`,
      id,
      JSON.stringify(message),
      now(),
    );
    this.#run("UPDATE sessions SET updated_at = ? WHERE id = ?", now(), id);
  }

  history(id: string): ChatMessage[] {
    return this.#messagesFrom(id, 0);
  }

  /** The messages that the model gets of a session, whose system messages have an index. */
  activeHistory(id: string): ChatMessage[] {
    const system = this.#statement(
      `SELECT position, message FROM messages INDEXED BY messages_of_system
       WHERE session_id = ? AND ${IS_SYSTEM} ORDER BY position`,
    );
    const backwards = this.#statement(
      "SELECT message FROM messages WHERE session_id = ? AND position < ? ORDER BY position DESC",
    );
    return activeMessages({
      systemMessages: () =>
        system.all(id).map((row) => ({ position: Number(row["position"]), message: messageOf(row) })),
      from: (position) => this.#messagesFrom(id, position),
      turnBefore(position) {
        for (const row of backwards.iterate(id, position)) {
          const message = messageOf(row);
          if (startsTurn(message)) return message;
        }
        return undefined;
      },
    });
  }

  historyFrom(id: string, position: number): StoredMessage[] {
    return this.#statement(
      "SELECT position, message, created_at FROM messages WHERE session_id = ? AND position >= ? ORDER BY position",
    )
      .all(id, position)
      .map((row) => ({
        position: Number(row["position"]),
        created_at: String(row["created_at"]),
        message: messageOf(row),
      }));
  }

  /** Keeps the first `length` messages. */
  truncate(id: string, length: number): void {
    this.#run(
      `DELETE FROM messages WHERE session_id = ?1 AND position NOT IN
         (SELECT position FROM messages WHERE session_id = ?1 ORDER BY position LIMIT ?2)`,
      id,
      length,
    );
    this.#run("UPDATE sessions SET updated_at = ? WHERE id = ?", now(), id);
  }

  /** The number of sessions of its child agents, at every depth. */
  children(id: string): number {
    return Number(this.#statement(`${FAMILY} SELECT count(*) - 1 AS count FROM family`).get(id)?.["count"] ?? 0);
  }

  /** Deletes a session without messages. One with a key is a conversation's place, and one with children has a past. */
  deleteEmpty(id: string): void {
    this.#run(`DELETE FROM sessions WHERE id = ? AND ${IS_EMPTY}`, id);
  }

  delete(id: string): number {
    return this.#run(`${FAMILY} DELETE FROM sessions WHERE id IN (SELECT id FROM family)`, id);
  }

  deleteBefore(time: string): number {
    return this.#run("DELETE FROM sessions WHERE updated_at < ?", time);
  }

  deleteEmptyBefore(time: string): number {
    return this.#run(`DELETE FROM sessions WHERE updated_at < ? AND ${IS_EMPTY}`, time);
  }

  #messagesFrom(id: string, position: number): ChatMessage[] {
    const statement = this.#statement(
      "SELECT message FROM messages WHERE session_id = ? AND position >= ? ORDER BY position",
    );
    // Every turn reads them: an object for each row would take nearly as long as the parsing.
    statement.setReturnArrays(true);
    const rows = statement.all(id, position) as unknown as [string][];
    return rows.map(([message]) => JSON.parse(message) as ChatMessage);
  }

  #run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #all(sql: string, ...values: Value[]): StoredSession[] {
    // Rows have no prototype; callers and tests expect a plain object.
    return this.#statement(sql)
      .all(...values)
      .map((row) => Object.assign({}, row) as unknown as StoredSession);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function now(): string {
  return new Date().toISOString();
}

function messageOf(row: Readonly<Record<string, unknown>>): ChatMessage {
  return JSON.parse(String(row["message"])) as ChatMessage;
}
