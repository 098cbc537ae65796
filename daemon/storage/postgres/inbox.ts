/** Inboxes that several machines put messages into. */
import {
  AGED_MS,
  DEDUP_MS,
  INBOX_SOURCES,
  MOST_QUEUED,
  type AddedMessage,
  type ClaimedMessage,
  type ClaimMessageOptions,
  type DedupKey,
  type Handled,
  type InboxFilter,
  type InboxMessage,
  type InboxSource,
  type InboxStore,
  type NewInboxMessage,
} from "#core/ports/inbox";
import { SILENT_MS } from "#core/heartbeat";
import { isGone, processSpace, thisProcess, type PlacedProcess } from "#core/process-space";
import { newId } from "#daemon/storage/ids";
import { failedIds, queuedBySource, shownMessage, type MessageRow } from "#daemon/storage/inbox-rows";
import { CLOCK_TOLERANCE_MS } from "#daemon/storage/rules";
import type { PostgresDatabase } from "./database.ts";
import { SQL } from "./inbox-sql.ts";
import { WakeChannel } from "./listener.ts";
import type { ServerTime, Sql, Transaction } from "./sql.ts";

export class PostgresInbox implements InboxStore {
  readonly #database: PostgresDatabase;
  readonly #now: ServerTime;
  /** Its space, pid and start. */
  readonly #process: readonly [string | null, number, string | null];

  constructor(database: PostgresDatabase, now: ServerTime) {
    this.#database = database;
    this.#now = now;
    const { space, pid, start } = thisProcess();
    this.#process = [space, pid, start];
  }

  add(message: NewInboxMessage): Promise<AddedMessage> {
    return this.#database.transaction((tx) => this.insert(tx, message));
  }

  /** Like {@link add}, in the caller's transaction. */
  async insert(tx: Transaction, message: NewInboxMessage): Promise<AddedMessage> {
    const { session, source, label, content, dedup = [] } = message;
    const now = await this.#now(tx);
    // Who stores in the same inbox, or an id of the same sender, waits: both counts are then of what is there.
    const [, remembered, waiting] = await Promise.all([
      tx.lock(...locksOf(session, dedup)),
      rememberedOf(tx, dedup, now),
      tx.rows<{ count: number }>(SQL.countQueued, session),
    ]);
    if (dedup.length > 0 && remembered >= distinct(dedup)) return { kind: "duplicate" };
    if (waiting[0]!.count >= MOST_QUEUED) return { kind: "full" };
    const id = newId();
    await Promise.all([
      tx.run(SQL.add, id, session, source, label, content, now),
      dedup.length > 0 ? tx.run(SQL.remember, ...keyColumns(dedup), now) : undefined,
      tx.notify(WakeChannel.payloadOf("inbox", session)),
    ]);
    return { kind: "stored", id };
  }

  async remember(keys: readonly DedupKey[]): Promise<void> {
    await this.#database.run(SQL.remember, ...keyColumns(keys), await this.#now());
  }

  async isRemembered(key: DedupKey): Promise<boolean> {
    return (await rememberedOf(this.#database, [key], await this.#now())) > 0;
  }

  async claim({ session, holder, order, sources }: ClaimMessageOptions): Promise<ClaimedMessage | undefined> {
    const now = await this.#now();
    const [row] = await this.#database.rows<ClaimedMessage>(
      SQL.claim,
      session,
      processSpace(),
      holder.pid,
      holder.start,
      sources ?? INBOX_SOURCES,
      order === "fifo",
      now - AGED_MS,
      now + CLOCK_TOLERANCE_MS,
    );
    return row;
  }

  async end(ids: readonly string[], state: "done" | "failed", handled?: Handled): Promise<number> {
    return this.#database.transaction(async (tx) => {
      const now = await this.#now(tx);
      const { text = null, problem = null } = handled ?? {};
      const rows = await tx.rows<{ session: string }>(SQL.end, ids, state, now, text, problem, ...this.#process);
      await notify(tx, rows);
      return rows.length;
    });
  }

  async release(ids: readonly string[]): Promise<void> {
    await this.#database.transaction(async (tx) => notify(tx, await tx.rows(SQL.release, ids, ...this.#process)));
  }

  cut(ids: readonly string[]): Promise<readonly string[]> {
    return this.#database.transaction(async (tx) => {
      const ours = await tx.rows<{ id: string }>(SQL.ours, ids, ...this.#process);
      return this.#cut(
        tx,
        ours.map(({ id }) => id),
      );
    });
  }

  cutAbandoned(session: string): Promise<readonly string[]> {
    return this.#database.transaction(async (tx) => {
      const lost = (await this.#now(tx)) - SILENT_MS;
      const rows = await tx.rows<RunningRow>(SQL.running, session, lost);
      return this.#cut(
        tx,
        rows.filter(isAbandoned).map(({ id }) => id),
      );
    });
  }

  async get(id: string): Promise<InboxMessage | undefined> {
    const [row] = await this.#database.rows<MessageRow>(SQL.get, id);
    return row && shownMessage(row);
  }

  async list(session: string, { state, limit }: InboxFilter = {}): Promise<readonly InboxMessage[]> {
    const rows = await this.#database.rows<MessageRow>(SQL.list, session, state ?? null, limit ?? null);
    return rows.toReversed().map(shownMessage);
  }

  async queued(session?: string): Promise<ReadonlyMap<InboxSource, number>> {
    return queuedBySource(await this.#database.rows(SQL.queued, session ?? null));
  }

  async waiting(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.rows<{ name: string; count: number }>(SQL.waiting);
    return new Map(rows.map(({ name, count }) => [name, count]));
  }

  async awaitedTasks(session: string): Promise<readonly string[]> {
    return (await this.#database.rows<{ task: string }>(SQL.awaitedTasks, session)).map(({ task }) => task);
  }

  report(task: string, message: NewInboxMessage): Promise<AddedMessage> {
    return this.#database.transaction(async (tx): Promise<AddedMessage> => {
      if ((await tx.rows(SQL.isAwaited, task)).length === 0) return { kind: "duplicate" };
      const added = await this.insert(tx, message);
      if (added.kind !== "full") await tx.run(SQL.reported, task);
      return added;
    });
  }

  async prune(endedBefore: Date): Promise<void> {
    const now = await this.#now();
    await this.#database.transaction(async (tx) => {
      await Promise.all([tx.run(SQL.prune, endedBefore.getTime()), tx.run(SQL.forget, now - DEDUP_MS, now + DEDUP_MS)]);
    });
  }

  async #cut(tx: Transaction, ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length === 0) return [];
    const now = await this.#now(tx);
    const rows = await tx.rows<Pick<InboxMessage, "id" | "state"> & { session: string }>(SQL.cut, ids, now);
    await notify(tx, rows);
    return failedIds(rows);
  }
}

interface RunningRow extends PlacedProcess {
  readonly id: string;
  /** Whether the daemon of this process lives. */
  readonly beats: boolean;
}

function isAbandoned(row: RunningRow): boolean {
  return row.space !== null && row.space === processSpace() ? isGone(row) : !row.beats;
}

async function notify(tx: Transaction, rows: readonly { readonly session: string }[]): Promise<void> {
  const sessions = new Set(rows.map(({ session }) => session));
  await Promise.all([...sessions].map((session) => tx.notify(WakeChannel.payloadOf("inbox", session))));
}

async function rememberedOf(sql: Sql, keys: readonly DedupKey[], now: number): Promise<number> {
  if (keys.length === 0) return 0;
  const [row] = await sql.rows<{ count: number }>(SQL.remembered, ...distinctColumns(keys), now - DEDUP_MS);
  return row!.count;
}

function locksOf(session: string, dedup: readonly DedupKey[]): readonly string[] {
  const scopes = new Set(dedup.map(({ scope }) => `ids ${scope}`));
  return [`inbox ${session}`, ...[...scopes].toSorted()];
}

function keyColumns(keys: readonly DedupKey[]): [string[], string[]] {
  return [keys.map(({ scope }) => scope), keys.map(({ id }) => id)];
}

function distinctColumns(keys: readonly DedupKey[]): [string[], string[]] {
  return keyColumns([...new Map(keys.map((key) => [JSON.stringify([key.scope, key.id]), key])).values()]);
}

function distinct(keys: readonly DedupKey[]): number {
  return distinctColumns(keys)[0].length;
}
