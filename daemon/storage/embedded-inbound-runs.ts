/** The runs of inbound webhooks in `state.db`. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type {
  AddedRun,
  ClaimedRun,
  InboundRun,
  InboundRunStore,
  NewInboundRun,
  RunEnd,
  RunGroup,
} from "#core/ports/inbound";
import { newId } from "./ids.ts";
import {
  claimedRun,
  groupsOf,
  OPEN_RUNS,
  RUN_COLUMNS,
  shownRun,
  wholeGroups,
  type ClaimedRunRow,
  type GroupRow,
  type RunRow,
} from "./inbound-rows.ts";

const SQL = {
  inFlight: `SELECT 1 FROM inbound_runs WHERE hook = ? AND dedup_id = ? AND ${OPEN_RUNS} LIMIT 1`,
  queued: "SELECT count(*) AS count FROM inbound_runs WHERE session = ? AND hook = ? AND state = 'queued'",
  window: `SELECT max(window_ends_at) AS ends FROM inbound_runs
    WHERE session = ? AND hook = ? AND coalesce_key = ? AND window_ends_at > ? AND ${OPEN_RUNS}`,
  add: `INSERT INTO inbound_runs (id, session, hook, state, variables, body, dedup_id, coalesce_key, window_ends_at, created_at)
    VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)`,
  claim: `UPDATE inbound_runs SET state = 'running', started_at = ? WHERE number = (
      SELECT number FROM inbound_runs WHERE session = ? AND hook = ? AND state = 'queued' ORDER BY number LIMIT 1
    ) RETURNING id, variables, body`,
  release: "UPDATE inbound_runs SET state = 'queued', started_at = NULL WHERE id = ? AND state = 'running'",
  releaseAll:
    "UPDATE inbound_runs SET state = 'queued', started_at = NULL WHERE session = ? AND state = 'running' AND output IS NULL",
  keepOutput: "UPDATE inbound_runs SET output = ?, exit_code = ? WHERE id = ?",
  end: `UPDATE inbound_runs SET state = ?, status = ?, exit_code = coalesce(?, exit_code), ended_at = ?,
    output = NULL, variables = '{}', body = x'' WHERE id = ?`,
  whole: wholeGroups("?", "?"),
  nextEnd: `SELECT min(window_ends_at) AS ends FROM inbound_runs WHERE session = ? AND window_ends_at > ? AND ${OPEN_RUNS}`,
  get: `SELECT ${RUN_COLUMNS} FROM inbound_runs WHERE id = ?`,
  prune: "DELETE FROM inbound_runs WHERE ended_at < ?",
} as const;

export class EmbeddedInboundRuns implements InboundRunStore {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #statements = new Map<keyof typeof SQL, StatementSync>();

  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  async add(run: NewInboundRun, mostQueued: number): Promise<AddedRun> {
    return transaction(this.#database, (): AddedRun => {
      const { session, hook, dedupId, coalesce } = run;
      if (dedupId !== null && this.#statement("inFlight").get(hook, dedupId) !== undefined)
        return { kind: "in_flight" };
      const { count } = this.#statement("queued").get(session, hook) as { count: number };
      if (count >= mostQueued) return { kind: "full" };
      const id = newId();
      const now = this.#now();
      const ends = coalesce === null ? null : this.#windowEnd(session, hook, coalesce, now);
      const key = coalesce?.key ?? null;
      this.#run("add", id, session, hook, JSON.stringify(run.variables), run.body, dedupId, key, ends, now);
      return { kind: "stored", id };
    });
  }

  async claim(session: string, hook: string): Promise<ClaimedRun | undefined> {
    const row = this.#statement("claim").get(this.#now(), session, hook) as ClaimedRunRow | undefined;
    return row && claimedRun(row);
  }

  async release(id: string): Promise<void> {
    this.#run("release", id);
  }

  async releaseAll(session: string): Promise<void> {
    this.#run("releaseAll", session);
  }

  async keepOutput(id: string, output: string, exitCode: number): Promise<void> {
    this.#run("keepOutput", output, exitCode, id);
  }

  async end(ids: readonly string[], { state, status }: RunEnd, exitCode: number | null = null): Promise<void> {
    const now = this.#now();
    transaction(this.#database, () => ids.forEach((id) => this.#run("end", state, status, exitCode, now, id)));
  }

  async wholeGroups(session: string): Promise<readonly RunGroup[]> {
    return groupsOf(this.#statement("whole").all(session, this.#now()) as unknown as GroupRow[]);
  }

  async nextWindowEnd(session: string): Promise<number | undefined> {
    const now = this.#now();
    const { ends } = this.#statement("nextEnd").get(session, now) as { ends: number | null };
    return ends === null ? undefined : ends - now;
  }

  async get(id: string): Promise<(InboundRun & { readonly hook: string; readonly session: string }) | undefined> {
    const row = this.#statement("get").get(id) as RunRow | undefined;
    return row && shownRun(row);
  }

  async prune(endedBefore: Date): Promise<void> {
    this.#run("prune", endedBefore.getTime());
  }

  /** When the window of a key ends that is open, or that this run opens. */
  #windowEnd(session: string, hook: string, coalesce: { key: string; windowMs: number }, now: number): number {
    const { ends } = this.#statement("window").get(session, hook, coalesce.key, now) as { ends: number | null };
    return ends ?? now + Math.round(coalesce.windowMs);
  }

  #statement(name: keyof typeof SQL): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) this.#statements.set(name, (statement = this.#database.prepare(SQL[name])));
    return statement;
  }

  #run(name: keyof typeof SQL, ...values: SQLInputValue[]): void {
    this.#statement(name).run(...values);
  }
}
