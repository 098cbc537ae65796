/** The runs of inbound webhooks, so that a daemon's next start finds them on whatever machine it is. */
import type {
  AddedRun,
  ClaimedRun,
  InboundRun,
  InboundRunStore,
  NewInboundRun,
  RunEnd,
  RunGroup,
} from "#core/ports/inbound";
import { newId } from "#daemon/storage/ids";
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
} from "#daemon/storage/inbound-rows";
import type { PostgresDatabase } from "./database.ts";
import type { ServerTime } from "./sql.ts";

const SQL = {
  inFlight: `SELECT id FROM inbound_runs WHERE hook = $1 AND dedup_id = $2 AND ${OPEN_RUNS} LIMIT 1`,
  queued: "SELECT COUNT(*) AS count FROM inbound_runs WHERE session = $1 AND hook = $2 AND state = 'queued'",
  window: `SELECT MAX(window_ends_at) AS ends FROM inbound_runs
    WHERE session = $1 AND hook = $2 AND coalesce_key = $3 AND window_ends_at > $4 AND ${OPEN_RUNS}`,
  add: `INSERT INTO inbound_runs
      (id, session, hook, state, variables, body, dedup_id, coalesce_key, window_ends_at, created_at)
    VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9)`,
  claim: `WITH next AS MATERIALIZED (
      SELECT number FROM inbound_runs WHERE session = $1 AND hook = $2 AND state = 'queued' ORDER BY number
      LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE inbound_runs SET state = 'running', started_at = $3 FROM next WHERE inbound_runs.number = next.number
    RETURNING id, variables, body`,
  release: "UPDATE inbound_runs SET state = 'queued', started_at = NULL WHERE id = $1 AND state = 'running'",
  releaseAll: `UPDATE inbound_runs SET state = 'queued', started_at = NULL
    WHERE session = $1 AND state = 'running' AND output IS NULL`,
  keepOutput: "UPDATE inbound_runs SET output = $2, exit_code = $3 WHERE id = $1",
  end: `UPDATE inbound_runs SET state = $2, status = $3, exit_code = COALESCE($4, exit_code), ended_at = $5,
    output = NULL, variables = '{}', body = '' WHERE id = ANY($1)`,
  whole: wholeGroups("$1", "$2"),
  nextEnd: `SELECT MIN(window_ends_at) AS ends FROM inbound_runs WHERE session = $1 AND window_ends_at > $2 AND ${OPEN_RUNS}`,
  get: `SELECT ${RUN_COLUMNS} FROM inbound_runs WHERE id = $1`,
  prune: "DELETE FROM inbound_runs WHERE ended_at < $1",
} as const;

export class PostgresInboundRuns implements InboundRunStore {
  readonly #database: PostgresDatabase;
  readonly #now: ServerTime;

  constructor(database: PostgresDatabase, now: ServerTime) {
    this.#database = database;
    this.#now = now;
  }

  add(run: NewInboundRun, mostQueued: number): Promise<AddedRun> {
    const { session, hook, dedupId, coalesce } = run;
    return this.#database.transaction(async (tx): Promise<AddedRun> => {
      const now = await this.#now(tx);
      // Whoever stores a run of the same hook waits: the counts are then of what is there.
      const [, inFlight, [queued], windows] = await Promise.all([
        tx.lock(`runs ${hook}`),
        dedupId === null ? [] : tx.rows(SQL.inFlight, hook, dedupId),
        tx.rows<{ count: number }>(SQL.queued, session, hook),
        coalesce === null ? [] : tx.rows<{ ends: number | null }>(SQL.window, session, hook, coalesce.key, now),
      ]);
      if (inFlight.length > 0) return { kind: "in_flight" };
      if (queued!.count >= mostQueued) return { kind: "full" };
      const id = newId();
      const ends = coalesce === null ? null : (windows[0]?.ends ?? now + Math.round(coalesce.windowMs));
      const key = coalesce?.key ?? null;
      const variables = JSON.stringify(run.variables);
      await tx.run(SQL.add, id, session, hook, variables, run.body, dedupId, key, ends, now);
      return { kind: "stored", id };
    });
  }

  async claim(session: string, hook: string): Promise<ClaimedRun | undefined> {
    const [row] = await this.#database.rows<ClaimedRunRow>(SQL.claim, session, hook, await this.#now());
    return row && claimedRun({ ...row, body: new Uint8Array(row.body) });
  }

  async release(id: string): Promise<void> {
    await this.#database.run(SQL.release, id);
  }

  async releaseAll(session: string): Promise<void> {
    await this.#database.run(SQL.releaseAll, session);
  }

  async keepOutput(id: string, output: string, exitCode: number): Promise<void> {
    await this.#database.run(SQL.keepOutput, id, output, exitCode);
  }

  async end(ids: readonly string[], { state, status }: RunEnd, exitCode: number | null = null): Promise<void> {
    await this.#database.run(SQL.end, ids, state, status, exitCode, await this.#now());
  }

  async wholeGroups(session: string): Promise<readonly RunGroup[]> {
    return groupsOf(await this.#database.rows<GroupRow>(SQL.whole, session, await this.#now()));
  }

  async nextWindowEnd(session: string): Promise<number | undefined> {
    const now = await this.#now();
    const [row] = await this.#database.rows<{ ends: number | null }>(SQL.nextEnd, session, now);
    return row!.ends === null ? undefined : row!.ends - now;
  }

  async get(id: string): Promise<(InboundRun & { readonly hook: string; readonly session: string }) | undefined> {
    const [row] = await this.#database.rows<RunRow>(SQL.get, id);
    return row && shownRun(row);
  }

  async prune(endedBefore: Date): Promise<void> {
    await this.#database.run(SQL.prune, endedBefore.getTime());
  }
}
