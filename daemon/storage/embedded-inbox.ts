/** Inboxes in `state.db`, written by several processes. Every method is done when it returns its promise. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import {
  AGED_MS,
  DEDUP_MS,
  INBOX_SOURCES,
  MOST_CUTS,
  MOST_QUEUED,
  type AddedMessage,
  type ClaimedMessage,
  type ClaimMessageOptions,
  type DedupKey,
  type InboxFilter,
  type InboxMessage,
  type InboxSource,
  type InboxStore,
  type NewInboxMessage,
} from "#core/ports/inbox";
import { isAlive } from "#core/process-identity";
import { newId } from "./ids.ts";
import { failedIds, queuedBySource, SHOWN_COLUMNS, shownMessage, SOURCE_RANK, type MessageRow } from "./inbox-rows.ts";
import { CLOCK_TOLERANCE_MS } from "./rules.ts";
import { Statements } from "./statements.ts";

const SQL = {
  countQueued: "SELECT COUNT(*) AS count FROM inbox_messages WHERE session = ? AND state = 'queued'",
  add: `INSERT INTO inbox_messages (id, session, source, label, content, state, created_at)
    VALUES (?, ?, ?, ?, ?, 'queued', ?)`,
  isRemembered: "SELECT 1 FROM inbox_ids WHERE scope = ? AND id = ? AND remembered_at > ?",
  remember: `INSERT INTO inbox_ids (scope, id, remembered_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET remembered_at = excluded.remembered_at`,
  // Who has waited long comes first; a row from the future was written before the clock was set back.
  claim: `UPDATE inbox_messages SET state = 'running', holder = :pid, holder_start = :start WHERE number = (
      SELECT number FROM inbox_messages WHERE session = :session AND state = 'queued'
        AND source IN (SELECT value FROM json_each(:sources))
      ORDER BY CASE WHEN :fifo OR created_at <= :aged OR created_at > :future THEN -1 ELSE ${SOURCE_RANK} END, number LIMIT 1)
    RETURNING id, source, label, content, cuts`,
  end: "UPDATE inbox_messages SET state = ?, ended_at = ?, holder = NULL, holder_start = NULL WHERE id = ? AND state = 'running'",
  release:
    "UPDATE inbox_messages SET state = 'queued', holder = NULL, holder_start = NULL WHERE id = ? AND state = 'running'",
  cut: `UPDATE inbox_messages SET cuts = cuts + 1, holder = NULL, holder_start = NULL,
      state = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN 'failed' ELSE 'queued' END,
      ended_at = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN ? END
    WHERE id = ? AND state = 'running' RETURNING id, state`,
  running: "SELECT id, holder, holder_start FROM inbox_messages WHERE session = ? AND state = 'running'",
  get: `SELECT ${SHOWN_COLUMNS} FROM inbox_messages WHERE id = ?`,
  list: `SELECT ${SHOWN_COLUMNS} FROM inbox_messages WHERE session = :session AND (:state IS NULL OR state = :state)
    ORDER BY number DESC LIMIT :limit`,
  queued: `SELECT source, COUNT(*) AS count FROM inbox_messages
    WHERE state = 'queued' AND (:session IS NULL OR session = :session) GROUP BY source`,
  // From one name to the next through the index: there may be many messages, but there are few names.
  waiting: `WITH RECURSIVE names(name) AS (
      SELECT MIN(session) FROM inbox_messages
      UNION ALL SELECT (SELECT MIN(session) FROM inbox_messages WHERE session > name) FROM names WHERE name IS NOT NULL
    ), counts AS (SELECT name, (
      SELECT COUNT(*) FROM inbox_messages WHERE session = name AND state IN ('queued', 'running')) AS count FROM names)
    SELECT name, count FROM counts WHERE count > 0`,
  awaitedTasks: "SELECT task FROM inbox_tasks WHERE session = ? ORDER BY number",
  reported: "DELETE FROM inbox_tasks WHERE task = ?",
  isAwaited: "SELECT 1 FROM inbox_tasks WHERE task = ?",
  prune: "DELETE FROM inbox_messages WHERE state IN ('done', 'failed') AND ended_at < ?",
  // Also those of a time that is yet to come by far: the clock was wrong then, and nothing would ever delete them.
  forget: "DELETE FROM inbox_ids WHERE remembered_at <= ? OR remembered_at > ?",
} as const;

export class EmbeddedInbox implements InboxStore {
  readonly #database: DatabaseSync;
  readonly #sql: Statements<keyof typeof SQL>;
  readonly #now: () => number;

  /** `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
    this.#now = now;
  }

  async add(message: NewInboxMessage): Promise<AddedMessage> {
    return transaction(this.#database, () => this.insert(message));
  }

  /** Like {@link add}, in the caller's transaction. */
  insert({ session, source, label, content, dedup = [] }: NewInboxMessage): AddedMessage {
    if (dedup.length > 0 && dedup.every((key) => this.#isRemembered(key))) return { kind: "duplicate" };
    if (this.#sql.rows<{ count: number }>("countQueued", session)[0]!.count >= MOST_QUEUED) return { kind: "full" };
    const id = newId();
    const now = this.#now();
    this.#sql.run("add", id, session, source, label, content, now);
    for (const key of dedup) this.#sql.run("remember", key.scope, key.id, now);
    return { kind: "stored", id };
  }

  async remember(keys: readonly DedupKey[]): Promise<void> {
    const now = this.#now();
    transaction(this.#database, () => keys.forEach(({ scope, id }) => this.#sql.run("remember", scope, id, now)));
  }

  async isRemembered(key: DedupKey): Promise<boolean> {
    return this.#isRemembered(key);
  }

  async claim({ session, holder, order, sources }: ClaimMessageOptions): Promise<ClaimedMessage | undefined> {
    const now = this.#now();
    const [row] = this.#sql.rows<ClaimedMessage>("claim", {
      session,
      pid: holder.pid,
      start: holder.start,
      sources: JSON.stringify(sources ?? INBOX_SOURCES),
      fifo: order === "fifo" ? 1 : 0,
      aged: now - AGED_MS,
      future: now + CLOCK_TOLERANCE_MS,
    });
    return row && { ...row };
  }

  async end(ids: readonly string[], state: "done" | "failed"): Promise<number> {
    const now = this.#now();
    return transaction(this.#database, () =>
      ids.reduce((count, id) => count + Number(this.#sql.run("end", state, now, id).changes), 0),
    );
  }

  async release(ids: readonly string[]): Promise<void> {
    transaction(this.#database, () => ids.forEach((id) => this.#sql.run("release", id)));
  }

  async cut(ids: readonly string[]): Promise<readonly string[]> {
    return transaction(this.#database, () => this.#cut(ids));
  }

  async cutAbandoned(session: string): Promise<readonly string[]> {
    return transaction(this.#database, () => {
      const rows = this.#sql.rows<{ id: string; holder: number; holder_start: string | null }>("running", session);
      return this.#cut(rows.filter((row) => !isAlive(row.holder, row.holder_start)).map(({ id }) => id));
    });
  }

  async get(id: string): Promise<InboxMessage | undefined> {
    const [row] = this.#sql.rows<MessageRow>("get", id);
    return row && shownMessage(row);
  }

  async list(session: string, { state, limit = -1 }: InboxFilter = {}): Promise<readonly InboxMessage[]> {
    const rows = this.#sql.rows<MessageRow>("list", { session, state: state ?? null, limit });
    return rows.toReversed().map(shownMessage);
  }

  async queued(session?: string): Promise<ReadonlyMap<InboxSource, number>> {
    const rows = this.#sql.rows<{ source: InboxSource; count: number }>("queued", { session: session ?? null });
    return queuedBySource(rows);
  }

  async waiting(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#sql.rows<{ name: string; count: number }>("waiting");
    return new Map(rows.map(({ name, count }) => [name, count]));
  }

  async awaitedTasks(session: string): Promise<readonly string[]> {
    return this.#sql.rows<{ task: string }>("awaitedTasks", session).map(({ task }) => task);
  }

  async report(task: string, message: NewInboxMessage): Promise<AddedMessage> {
    return transaction(this.#database, () => {
      if (this.#sql.rows("isAwaited", task).length === 0) return { kind: "duplicate" };
      const added = this.insert(message);
      if (added.kind !== "full") this.#sql.run("reported", task);
      return added;
    });
  }

  async prune(endedBefore: Date): Promise<void> {
    const now = this.#now();
    transaction(this.#database, () => {
      this.#sql.run("prune", endedBefore.getTime());
      this.#sql.run("forget", now - DEDUP_MS, now + DEDUP_MS);
    });
  }

  #isRemembered({ scope, id }: DedupKey): boolean {
    return this.#sql.rows("isRemembered", scope, id, this.#now() - DEDUP_MS).length > 0;
  }

  /** In the caller's transaction. */
  #cut(ids: readonly string[]): readonly string[] {
    const now = this.#now();
    const rows = ids.flatMap((id) => this.#sql.rows<Pick<InboxMessage, "id" | "state">>("cut", now, id));
    return failedIds(rows);
  }
}
