/** Deliveries that several machines send, each once at a time. */
import type {
  Backlog,
  ClaimedDelivery,
  ClaimOptions,
  Delivery,
  DeliveryAttempt,
  DeliveryDetails,
  DeliveryFilter,
  DeliveryOutcome,
  DeliveryStatus,
  DeliveryStore,
  EndpointCounts,
  NewDelivery,
} from "#core/ports/deliveries";
import { isGone, thisProcess, type PlacedProcess } from "#core/process-space";
import { deliveryCounts } from "#daemon/storage/delivery-rules";
import { newId } from "#daemon/storage/ids";
import { CLOCK_TOLERANCE_MS, isoTime, isoTimeOrNull, MOST_CANDIDATES } from "#daemon/storage/rules";
import type { PostgresCounters } from "./counters.ts";
import type { PostgresDatabase } from "./database.ts";
import { DELIVERY_COLUMNS, SQL } from "./deliveries-sql.ts";
import type { ServerTime, Transaction } from "./sql.ts";

interface DeliveryRow extends Omit<Delivery, "next_attempt_at" | "created_at" | "delivered_at"> {
  readonly due_at: number;
  readonly created_at: number;
  readonly delivered_at: number | null;
}

type ClaimedRow = Omit<ClaimedDelivery, "created_at"> & { readonly number: number; readonly created_at: number };

export class PostgresDeliveries implements DeliveryStore {
  readonly #database: PostgresDatabase;
  readonly #counters: PostgresCounters;
  readonly #now: ServerTime;
  readonly #holder = holderOf(thisProcess());

  constructor(database: PostgresDatabase, counters: PostgresCounters, now: ServerTime) {
    this.#database = database;
    this.#counters = counters;
    this.#now = now;
  }

  add(deliveries: readonly NewDelivery[]): Promise<readonly string[]> {
    return this.#database.transaction((tx) => this.insert(tx, deliveries));
  }

  /** Like {@link add}, in the caller's transaction. */
  async insert(tx: Transaction, deliveries: readonly NewDelivery[]): Promise<readonly string[]> {
    if (deliveries.length === 0) return [];
    const ids = deliveries.map(newId);
    const column = (key: keyof NewDelivery) => deliveries.map((delivery) => delivery[key]);
    const columns = [ids, column("event"), column("endpoint"), column("payload")];
    const now = await this.#now(tx);
    const [rows] = await Promise.all([
      tx.rows<{ endpoint: string; status: DeliveryStatus }>(SQL.add, ...columns, now),
      tx.notify("deliveries"),
    ]);
    const held = rows.filter(({ status }) => status === "disabled");
    if (held.length > 0) await this.#counters.insert(tx, deliveryCounts("disabled", held));
    return ids;
  }

  async claim(endpoint: string, { limit, leaseMs }: ClaimOptions): Promise<readonly ClaimedDelivery[]> {
    const rows = await this.#database.rows<ClaimedRow>(SQL.claim, ...(await this.#lease(leaseMs)), endpoint, limit);
    return rows.toSorted((left, right) => left.number - right.number).map(claimedOf);
  }

  async claimOne(id: string, { leaseMs }: Pick<ClaimOptions, "leaseMs">): Promise<ClaimedDelivery | undefined> {
    const [row] = await this.#database.rows<ClaimedRow>(SQL.claimOne, ...(await this.#lease(leaseMs)), id);
    return row && claimedOf(row);
  }

  async finish(outcomes: readonly DeliveryOutcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    await this.#database.transaction(async (tx) => {
      const now = await this.#now(tx);
      const gone = outcomes.filter(({ next }) => next.kind === "gone").map(({ id }) => id);
      const [, , , ended] = await Promise.all([
        gone.length > 0 ? tx.run(SQL.lock) : undefined,
        tx.run(SQL.attempts, ...attemptColumns(outcomes)),
        tx.run(SQL.again, ...againColumns(outcomes, now), now),
        tx.rows<{ endpoint: string; status: "delivered" | "failed" }>(SQL.end, ...endColumns(outcomes), now),
        gone.length > 0 ? tx.run(SQL.disable, gone, now) : undefined,
      ]);
      const held = gone.length > 0 ? await tx.rows<{ endpoint: string }>(SQL.holdBack, gone) : [];
      const counts = ended.flatMap((one) => deliveryCounts(one.status, [one]));
      await this.#counters.insert(tx, [...counts, ...deliveryCounts("disabled", held)]);
    });
  }

  async release(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#database.transaction(async (tx) => {
      await Promise.all([tx.run(SQL.release, ids), tx.notify("deliveries")]);
    });
  }

  async releaseAbandoned(): Promise<boolean> {
    const now = await this.#now();
    const holders = await this.#database.rows<{ holder: string; until: number }>(SQL.holders);
    const gone = holders.map(({ holder }) => holder).filter((holder) => isGone(processOf(holder)));
    if (gone.length > 0) await this.#database.run(SQL.releaseOf, gone);
    return holders.some(({ holder, until }) => !gone.includes(holder) && holder !== this.#holder && until > now);
  }

  async due(): Promise<ReadonlyMap<string, number>> {
    const now = await this.#now();
    const future = now + CLOCK_TOLERANCE_MS;
    const rows = await this.#database.rows<{ endpoint: string; at: number }>(SQL.due, future);
    return new Map(rows.map(({ endpoint, at }) => [endpoint, at - now]));
  }

  async list({ status, endpoint, limit = 50 }: DeliveryFilter): Promise<readonly Delivery[]> {
    const wanted = Object.entries({ status, endpoint }).filter(([, value]) => value !== undefined);
    const conditions = wanted.map(([column], index) => `${column} = $${index + 2}`);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
    const text = `SELECT ${DELIVERY_COLUMNS} FROM deliveries ${where} ORDER BY number DESC LIMIT $1`;
    const rows = await this.#database.rows<DeliveryRow>(text, limit, ...wanted.map(([, value]) => value));
    return rows.map(shown);
  }

  async find(beginning: string): Promise<readonly string[]> {
    return idsOf(await this.#database.rows(SQL.find, beginning, MOST_CANDIDATES));
  }

  async get(id: string): Promise<DeliveryDetails | undefined> {
    const [[row], history] = await Promise.all([
      this.#database.rows<DeliveryRow & { payload: string }>(SQL.get, id),
      this.#database.rows<DeliveryAttempt>(SQL.history, id),
    ]);
    return row && { ...shown(row), payload: row.payload, history };
  }

  async redeliver(ids: readonly string[]): Promise<number> {
    return this.#database.transaction(async (tx) => {
      const now = await this.#now(tx);
      const [count] = await Promise.all([tx.run(SQL.redeliver, ids, now), tx.notify("deliveries")]);
      return count;
    });
  }

  async failedSince(time: Date): Promise<readonly string[]> {
    return idsOf(await this.#database.rows(SQL.failedSince, time.getTime()));
  }

  async counts(): Promise<ReadonlyMap<string, EndpointCounts>> {
    const rows = await this.#database.rows<EndpointCounts & { endpoint: string }>(SQL.counts);
    return new Map(rows.map(({ endpoint, ...counts }) => [endpoint, counts]));
  }

  async backlog(): Promise<Backlog> {
    const [row] = await this.#database.rows<{ pending: number; oldest: number | null }>(SQL.backlog);
    return { pending: row!.pending, oldest: isoTimeOrNull(row!.oldest) };
  }

  async disabledEndpoints(): Promise<ReadonlySet<string>> {
    return new Set((await this.#database.rows<{ name: string }>(SQL.disabled)).map(({ name }) => name));
  }

  async enableEndpoint(name: string): Promise<boolean> {
    return (await this.#database.run(SQL.enable, name)) > 0;
  }

  async prune({ ended, created }: { ended: Date; created: Date }): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const [given] = await Promise.all([
        tx.rows<{ endpoint: string }>(SQL.giveUp, created.getTime()),
        tx.run(SQL.prune, ended.getTime()),
      ]);
      await this.#counters.insert(tx, deliveryCounts("failed", given));
    });
  }

  /** The values `$1` to `$4` of a claim. */
  async #lease(leaseMs: number) {
    const now = await this.#now();
    return [now, now + CLOCK_TOLERANCE_MS, now + Math.round(leaseMs), this.#holder] as const;
  }
}

function attemptColumns(outcomes: readonly DeliveryOutcome[]): unknown[] {
  const column = (key: keyof DeliveryAttempt) => outcomes.map(({ attempt }) => attempt[key]);
  return [outcomes.map(({ id }) => id), column("at"), column("status"), column("error"), column("duration_ms")];
}

function againColumns(outcomes: readonly DeliveryOutcome[], now: number): unknown[] {
  const again = outcomes.flatMap(({ id, attempt, next }) => (next.kind === "again" ? [{ id, attempt, next }] : []));
  return [
    again.map(({ id }) => id),
    again.map(({ next }) => (next.counts ? 1 : 0)),
    again.map(({ next }) => now + Math.round(next.inMs)),
    again.map(({ attempt }) => attempt.status),
    again.map(({ attempt }) => attempt.error),
  ];
}

function endColumns(outcomes: readonly DeliveryOutcome[]): unknown[] {
  const ended = outcomes.filter(({ next }) => next.kind !== "again");
  return [
    ended.map(({ id }) => id),
    ended.map(({ next }) => (next.kind === "delivered" ? "delivered" : "failed")),
    ended.map(({ attempt }) => attempt.status),
    ended.map(({ attempt }) => attempt.error),
  ];
}

function shown({ due_at, created_at, delivered_at, ...row }: DeliveryRow): Delivery {
  return {
    id: row.id,
    event: row.event,
    endpoint: row.endpoint,
    status: row.status,
    attempts: row.attempts,
    next_attempt_at: row.status === "pending" ? isoTime(due_at) : null,
    last_status: row.last_status,
    last_error: row.last_error,
    created_at: isoTime(created_at),
    delivered_at: isoTimeOrNull(delivered_at),
  };
}

function claimedOf({ number: _, created_at, ...row }: ClaimedRow): ClaimedDelivery {
  return { ...row, created_at: isoTime(created_at) };
}

function idsOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id);
}

function holderOf({ space, pid, start }: PlacedProcess): string {
  return JSON.stringify([space, pid, start]);
}

function processOf(holder: string): PlacedProcess {
  const [space, pid, start] = JSON.parse(holder) as [string | null, number, string | null];
  return { space, pid, start };
}
