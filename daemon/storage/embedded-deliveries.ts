/** Deliveries in `state.db`, written by several processes. Every method is done when it returns its promise. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type {
  Backlog,
  ClaimedDelivery,
  Delivery,
  DeliveryDetails,
  DeliveryAttempt,
  DeliveryFilter,
  DeliveryOutcome,
  DeliveryStore,
  EndpointCounts,
  NewDelivery,
} from "#core/ports/deliveries";
import { isAlive, processStartOf } from "#core/process-identity";
import { deliveryCounts, GIVEN_UP } from "./delivery-rules.ts";
import { EmbeddedCounters } from "./embedded-counters.ts";
import { newId } from "./ids.ts";
import { CLOCK_TOLERANCE_MS, MOST_CANDIDATES } from "./rules.ts";
import { Statements } from "./statements.ts";

const COLUMNS = `id, event, endpoint, status, attempts, last_status, last_error, created_at, delivered_at,
  CASE status WHEN 'pending' THEN strftime('%Y-%m-%dT%H:%M:%fZ', due_at / 1000.0, 'unixepoch') END AS next_attempt_at`;
const CLAIMED = "id, event, endpoint, payload, attempts, created_at";
const IS_FREE = "(leased_until IS NULL OR leased_until <= :now OR changed_at > :future)";

const SQL = {
  add: `INSERT INTO deliveries (id, event, endpoint, payload, status, due_at, changed_at, created_at)
    VALUES (?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM disabled_endpoints WHERE name = ?) THEN 'disabled' ELSE 'pending' END, ?, ?, ?)
    RETURNING status`,
  claim: `UPDATE deliveries SET leased_until = :until, leased_by = :by, changed_at = :now WHERE number IN (
      SELECT number FROM deliveries WHERE endpoint = :endpoint AND status = 'pending'
        AND (due_at <= :now OR changed_at > :future) AND ${IS_FREE} ORDER BY due_at, number LIMIT :limit)
    RETURNING number, ${CLAIMED}`,
  claimOne: `UPDATE deliveries SET leased_until = :until, leased_by = :by, changed_at = :now
    WHERE id = :id AND ${IS_FREE} RETURNING number, ${CLAIMED}`,
  end: `UPDATE deliveries SET status = ?, attempts = attempts + 1, delivered_at = ?, last_status = ?, last_error = ?,
    changed_at = ?, leased_until = NULL, leased_by = NULL WHERE id = ? RETURNING endpoint`,
  again: `UPDATE deliveries SET status = 'pending', attempts = attempts + ?, due_at = ?, last_status = ?, last_error = ?,
    changed_at = ?, leased_until = NULL, leased_by = NULL WHERE id = ?`,
  attempt: `INSERT INTO delivery_attempts (delivery, at, status, error, duration_ms)
    SELECT number, ?, ?, ?, ? FROM deliveries WHERE id = ?`,
  disable:
    "INSERT OR IGNORE INTO disabled_endpoints (name, disabled_at) SELECT endpoint, ? FROM deliveries WHERE id = ?",
  holdBack: `UPDATE deliveries SET status = 'disabled' WHERE status = 'pending' AND leased_until IS NULL
    AND endpoint = (SELECT endpoint FROM deliveries WHERE id = ?) RETURNING endpoint`,
  release: "UPDATE deliveries SET leased_until = NULL, leased_by = NULL WHERE id = ?",
  holders: "SELECT DISTINCT leased_by AS holder FROM deliveries WHERE status = 'pending' AND leased_by IS NOT NULL",
  releaseOf: "UPDATE deliveries SET leased_until = NULL, leased_by = NULL WHERE leased_by = ?",
  due: `SELECT endpoint, MIN(CASE WHEN changed_at > :future THEN 0 ELSE MAX(due_at, COALESCE(leased_until, 0)) END) AS at
    FROM deliveries WHERE status = 'pending' GROUP BY endpoint`,
  list: `SELECT ${COLUMNS} FROM deliveries ORDER BY number DESC LIMIT :limit`,
  listByEndpoint: `SELECT ${COLUMNS} FROM deliveries WHERE endpoint = :endpoint ORDER BY number DESC LIMIT :limit`,
  listByStatus: `SELECT ${COLUMNS} FROM deliveries WHERE status = :status AND (:endpoint IS NULL OR endpoint = :endpoint)
    ORDER BY number DESC LIMIT :limit`,
  find: "SELECT id FROM deliveries WHERE id >= :from AND id < :from || '~' ORDER BY number DESC LIMIT :limit",
  get: `SELECT ${COLUMNS}, payload FROM deliveries WHERE id = ?`,
  history: `SELECT at, delivery_attempts.status, error, duration_ms FROM delivery_attempts
    JOIN deliveries ON number = delivery WHERE id = ? ORDER BY delivery_attempts.rowid`,
  redeliver: `UPDATE deliveries SET status = 'pending', attempts = 0, due_at = ?, changed_at = ?, delivered_at = NULL
    WHERE id = ? AND status <> 'pending'`,
  failedSince: "SELECT id FROM deliveries WHERE status = 'failed' AND changed_at >= ? ORDER BY number",
  counts: `SELECT endpoint, SUM(status = 'pending') AS pending, SUM(status = 'failed') AS failed FROM deliveries
    WHERE status IN ('pending', 'failed') GROUP BY endpoint`,
  disabled: "SELECT name FROM disabled_endpoints",
  enable: "DELETE FROM disabled_endpoints WHERE name = ?",
  prune: "DELETE FROM deliveries WHERE status <> 'pending' AND changed_at < ?",
  giveUp: `UPDATE deliveries SET status = 'failed', last_error = '${GIVEN_UP}'
    WHERE status = 'pending' AND created_at < ? RETURNING endpoint`,
  backlog: `SELECT COUNT(*) AS pending, (SELECT created_at FROM deliveries WHERE status = 'pending' ORDER BY number LIMIT 1)
    AS oldest FROM deliveries WHERE status = 'pending'`,
} as const;

export class EmbeddedDeliveries implements DeliveryStore {
  readonly #database: DatabaseSync;
  readonly #sql: Statements<keyof typeof SQL>;
  /** This process, also when its pid is reused. */
  readonly #holder = `${process.pid}:${processStartOf(process.pid) ?? ""}`;
  readonly #counters: EmbeddedCounters;
  readonly #now: () => number;

  /** `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
    this.#counters = new EmbeddedCounters(database);
    this.#now = now;
  }

  async add(deliveries: readonly NewDelivery[]): Promise<readonly string[]> {
    return transaction(this.#database, () => this.insert(deliveries));
  }

  /** Like {@link add}, in the caller's transaction. */
  insert(deliveries: readonly NewDelivery[]): readonly string[] {
    const now = this.#now();
    const created = new Date(now).toISOString();
    return deliveries.map(({ event, endpoint, payload }) => {
      const id = newId();
      const values = [id, event, endpoint, payload, endpoint, now, now, created];
      const [row] = this.#sql.rows<{ status: string }>("add", ...values);
      if (row?.status === "disabled") this.#count("disabled", [{ endpoint }]);
      return id;
    });
  }

  async claim(endpoint: string, { limit, leaseMs }: { limit: number; leaseMs: number }): Promise<ClaimedDelivery[]> {
    const rows = this.#sql.rows<ClaimedDelivery & { number: number }>("claim", {
      endpoint,
      limit,
      ...this.#lease(leaseMs),
    });
    return rows.toSorted((left, right) => left.number - right.number).map(claimedOf);
  }

  async claimOne(id: string, { leaseMs }: { leaseMs: number }): Promise<ClaimedDelivery | undefined> {
    const [row] = this.#sql.rows<ClaimedDelivery & { number: number }>("claimOne", { id, ...this.#lease(leaseMs) });
    return row && claimedOf(row);
  }

  async finish(outcomes: readonly DeliveryOutcome[]): Promise<void> {
    transaction(this.#database, () => outcomes.forEach((outcome) => this.#finishOne(outcome)));
  }

  async release(ids: readonly string[]): Promise<void> {
    transaction(this.#database, () => ids.forEach((id) => this.#sql.run("release", id)));
  }

  async releaseAbandoned(): Promise<boolean> {
    let areOthersSending = false;
    for (const { holder } of this.#sql.rows<{ holder: string }>("holders")) {
      const [pid = "", start = ""] = holder.split(":");
      if (!isAlive(Number(pid), start === "" ? null : start)) this.#sql.run("releaseOf", holder);
      else if (holder !== this.#holder) areOthersSending = true;
    }
    return areOthersSending;
  }

  async due(): Promise<ReadonlyMap<string, number>> {
    const { now, future } = this.#clock();
    const rows = this.#sql.rows<{ endpoint: string; at: number }>("due", { future });
    return new Map(rows.map(({ endpoint, at }) => [endpoint, at - now]));
  }

  async list({ status, endpoint, limit = 50 }: DeliveryFilter): Promise<readonly Delivery[]> {
    // A statement for each, so that each reads through its own index.
    if (status !== undefined)
      return this.#sql.rows<Delivery>("listByStatus", { status, endpoint: endpoint ?? null, limit }).map(plain);
    if (endpoint !== undefined) return this.#sql.rows<Delivery>("listByEndpoint", { endpoint, limit }).map(plain);
    return this.#sql.rows<Delivery>("list", { limit }).map(plain);
  }

  async find(beginning: string): Promise<readonly string[]> {
    return this.#sql.rows<{ id: string }>("find", { from: beginning, limit: MOST_CANDIDATES }).map(({ id }) => id);
  }

  async get(id: string): Promise<DeliveryDetails | undefined> {
    const [row] = this.#sql.rows<Omit<DeliveryDetails, "history">>("get", id);
    return row && { ...row, history: this.#sql.rows<DeliveryAttempt>("history", id).map(plain) };
  }

  async redeliver(ids: readonly string[]): Promise<number> {
    const now = this.#now();
    return transaction(this.#database, () =>
      ids.reduce((count, id) => count + Number(this.#sql.run("redeliver", now, now, id).changes), 0),
    );
  }

  async failedSince(time: Date): Promise<readonly string[]> {
    return this.#sql.rows<{ id: string }>("failedSince", time.getTime()).map(({ id }) => id);
  }

  async counts(): Promise<ReadonlyMap<string, EndpointCounts>> {
    const rows = this.#sql.rows<EndpointCounts & { endpoint: string }>("counts");
    return new Map(rows.map(({ endpoint, pending, failed }) => [endpoint, { pending, failed }]));
  }

  async backlog(): Promise<Backlog> {
    return plain(this.#sql.rows<Backlog>("backlog")[0]!);
  }

  async disabledEndpoints(): Promise<ReadonlySet<string>> {
    return new Set(this.#sql.rows<{ name: string }>("disabled").map(({ name }) => name));
  }

  async enableEndpoint(name: string): Promise<boolean> {
    return this.#sql.run("enable", name).changes > 0;
  }

  async prune({ ended, created }: { ended: Date; created: Date }): Promise<void> {
    transaction(this.#database, () => {
      this.#count("failed", this.#sql.rows("giveUp", created.toISOString()));
      this.#sql.run("prune", ended.getTime());
    });
  }

  #finishOne({ id, attempt, next }: DeliveryOutcome): void {
    const now = this.#now();
    const { at, status, error, duration_ms } = attempt;
    this.#sql.run("attempt", at, status, error, duration_ms, id);
    if (next.kind === "again") {
      this.#sql.run("again", next.counts ? 1 : 0, now + Math.round(next.inMs), status, error, now, id);
      return;
    }
    const delivered = next.kind === "delivered";
    const moment = new Date(now).toISOString();
    const outcome = delivered ? "delivered" : "failed";
    const ended = this.#sql.rows<{ endpoint: string }>(
      "end",
      outcome,
      delivered ? moment : null,
      status,
      error,
      now,
      id,
    );
    this.#count(outcome, ended);
    if (next.kind !== "gone") return;
    this.#sql.run("disable", moment, id);
    this.#count("disabled", this.#sql.rows("holdBack", id));
  }

  /** Counts what became of deliveries, in the caller's transaction. */
  #count(outcome: "delivered" | "failed" | "disabled", deliveries: readonly { readonly endpoint: string }[]): void {
    this.#counters.insert(deliveryCounts(outcome, deliveries));
  }

  #clock() {
    const now = this.#now();
    return { now, future: now + CLOCK_TOLERANCE_MS };
  }

  #lease(leaseMs: number) {
    const { now, future } = this.#clock();
    return { now, future, until: now + Math.round(leaseMs), by: this.#holder };
  }
}

function claimedOf({ number: _, ...row }: ClaimedDelivery & { number: number }): ClaimedDelivery {
  return row;
}

/** SQLite's rows have no prototype. */
function plain<Row extends object>(row: Row): Row {
  return { ...row };
}
