/** Inboxes in `state.db`, written by several processes. Every method is done when it returns its promise. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
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

/** A row that was written later than now, by more than this, was written before the clock was set back. */
const CLOCK_TOLERANCE_MS = 5000;

const SHOWN = "id, source, label, content, state, created_at";
const RANK = `CASE source ${INBOX_SOURCES.map((source, rank) => `WHEN '${source}' THEN ${rank}`).join(" ")} END`;

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
      ORDER BY CASE WHEN :fifo OR created_at <= :aged OR created_at > :future THEN -1 ELSE ${RANK} END, number LIMIT 1)
    RETURNING id, source, label, content, cuts`,
  end: "UPDATE inbox_messages SET state = ?, ended_at = ?, holder = NULL, holder_start = NULL WHERE id = ? AND state = 'running'",
  release:
    "UPDATE inbox_messages SET state = 'queued', holder = NULL, holder_start = NULL WHERE id = ? AND state = 'running'",
  cut: `UPDATE inbox_messages SET cuts = cuts + 1, holder = NULL, holder_start = NULL,
      state = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN 'failed' ELSE 'queued' END,
      ended_at = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN ? END
    WHERE id = ? AND state = 'running' RETURNING id, state`,
  running: "SELECT id, holder, holder_start FROM inbox_messages WHERE session = ? AND state = 'running'",
  get: `SELECT ${SHOWN} FROM inbox_messages WHERE id = ?`,
  list: `SELECT ${SHOWN} FROM inbox_messages WHERE session = :session AND (:state IS NULL OR state = :state)
    ORDER BY number DESC LIMIT :limit`,
  queued: `SELECT source, COUNT(*) AS count FROM inbox_messages
    WHERE state = 'queued' AND (:session IS NULL OR session = :session) GROUP BY source`,
  awaitTask: "INSERT OR IGNORE INTO inbox_tasks (task, session) VALUES (?, ?)",
  awaitedTasks: "SELECT task FROM inbox_tasks WHERE session = ? ORDER BY number",
  reported: "DELETE FROM inbox_tasks WHERE task = ?",
  isAwaited: "SELECT 1 FROM inbox_tasks WHERE task = ?",
  prune: "DELETE FROM inbox_messages WHERE state IN ('done', 'failed') AND ended_at < ?",
  // Also those of a time that is yet to come by far: the clock was wrong then, and nothing would ever delete them.
  forget: "DELETE FROM inbox_ids WHERE remembered_at <= ? OR remembered_at > ?",
} as const;

interface MessageRow extends Omit<InboxMessage, "created_at"> {
  readonly created_at: number;
}

export class EmbeddedInbox implements InboxStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #now: () => number;

  /** `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  async add(message: NewInboxMessage): Promise<AddedMessage> {
    return transaction(this.#database, () => this.insert(message));
  }

  /** Like {@link add}, in the caller's transaction. */
  insert({ session, source, label, content, dedup = [] }: NewInboxMessage): AddedMessage {
    if (dedup.length > 0 && dedup.every((key) => this.#isRemembered(key))) return { kind: "duplicate" };
    if (this.#rows<{ count: number }>("countQueued", session)[0]!.count >= MOST_QUEUED) return { kind: "full" };
    const id = newId();
    const now = this.#now();
    this.#run("add", id, session, source, label, content, now);
    for (const key of dedup) this.#run("remember", key.scope, key.id, now);
    return { kind: "stored", id };
  }

  async remember(keys: readonly DedupKey[]): Promise<void> {
    const now = this.#now();
    transaction(this.#database, () => keys.forEach(({ scope, id }) => this.#run("remember", scope, id, now)));
  }

  async isRemembered(key: DedupKey): Promise<boolean> {
    return this.#isRemembered(key);
  }

  async claim({ session, holder, order, sources }: ClaimMessageOptions): Promise<ClaimedMessage | undefined> {
    const now = this.#now();
    const [row] = this.#named<ClaimedMessage>("claim", {
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
      ids.reduce((count, id) => count + Number(this.#run("end", state, now, id).changes), 0),
    );
  }

  async release(ids: readonly string[]): Promise<void> {
    transaction(this.#database, () => ids.forEach((id) => this.#run("release", id)));
  }

  async cut(ids: readonly string[]): Promise<readonly string[]> {
    return transaction(this.#database, () => this.#cut(ids));
  }

  async cutAbandoned(session: string): Promise<readonly string[]> {
    return transaction(this.#database, () => {
      const rows = this.#rows<{ id: string; holder: number; holder_start: string | null }>("running", session);
      return this.#cut(rows.filter((row) => !isAlive(row.holder, row.holder_start)).map(({ id }) => id));
    });
  }

  async get(id: string): Promise<InboxMessage | undefined> {
    const [row] = this.#rows<MessageRow>("get", id);
    return row && shown(row);
  }

  async list(session: string, { state, limit = -1 }: InboxFilter = {}): Promise<readonly InboxMessage[]> {
    const rows = this.#named<MessageRow>("list", { session, state: state ?? null, limit });
    return rows.toReversed().map(shown);
  }

  async queued(session?: string): Promise<ReadonlyMap<InboxSource, number>> {
    const rows = this.#named<{ source: InboxSource; count: number }>("queued", { session: session ?? null });
    const counts = new Map(rows.map(({ source, count }) => [source, count]));
    return new Map(INBOX_SOURCES.map((source) => [source, counts.get(source) ?? 0]));
  }

  async awaitTask(session: string, task: string): Promise<void> {
    this.#run("awaitTask", task, session);
  }

  async awaitedTasks(session: string): Promise<readonly string[]> {
    return this.#rows<{ task: string }>("awaitedTasks", session).map(({ task }) => task);
  }

  async report(task: string, message: NewInboxMessage): Promise<AddedMessage> {
    return transaction(this.#database, () => {
      if (this.#rows("isAwaited", task).length === 0) return { kind: "duplicate" };
      const added = this.insert(message);
      if (added.kind !== "full") this.#run("reported", task);
      return added;
    });
  }

  async prune(endedBefore: Date): Promise<void> {
    const now = this.#now();
    transaction(this.#database, () => {
      this.#run("prune", endedBefore.getTime());
      this.#run("forget", now - DEDUP_MS, now + DEDUP_MS);
    });
  }

  #isRemembered({ scope, id }: DedupKey): boolean {
    return this.#rows("isRemembered", scope, id, this.#now() - DEDUP_MS).length > 0;
  }

  /** In the caller's transaction. */
  #cut(ids: readonly string[]): readonly string[] {
    const now = this.#now();
    const rows = ids.flatMap((id) => this.#rows<Pick<InboxMessage, "id" | "state">>("cut", now, id));
    return rows.filter(({ state }) => state === "failed").map(({ id }) => id);
  }

  #prepare(name: keyof typeof SQL): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) this.#statements.set(name, (statement = this.#database.prepare(SQL[name])));
    return statement;
  }

  #run(name: keyof typeof SQL, ...values: SQLInputValue[]) {
    return this.#prepare(name).run(...values);
  }

  #rows<Row>(name: keyof typeof SQL, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(name).all(...values) as unknown as Row[];
  }

  #named<Row>(name: keyof typeof SQL, values: Record<string, SQLInputValue>): Row[] {
    return this.#prepare(name).all(values) as unknown as Row[];
  }
}

function shown(row: MessageRow): InboxMessage {
  return { ...row, created_at: new Date(row.created_at).toISOString() };
}
