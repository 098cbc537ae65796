/** The workers of a home, in `state.db`. */
import type { DatabaseSync } from "node:sqlite";
import { hostname } from "node:os";
import { isAlive, processStartOf } from "#core/process-identity";
import { SILENT_MS } from "#core/heartbeat";
import type { NewWorker, Worker, WorkerStore } from "#core/ports/workers";
import { startHeartbeat } from "./heartbeat.ts";
import { newId } from "./ids.ts";
import { Statements } from "./statements.ts";
import { workerOf, type WorkerRow } from "./worker-rows.ts";

const SQL = {
  beat: `INSERT INTO workers (id, pid, pid_start, tags, concurrency, started_at, heartbeat_at)
    VALUES (:id, :pid, :start, :tags, :concurrency, :now, :now)
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at`,
  remove: "DELETE FROM workers WHERE id = ?",
  list: `SELECT id, pid, pid_start, tags, concurrency, started_at, heartbeat_at,
      (SELECT COUNT(*) FROM tasks WHERE status = 'running' AND foreground = 0
        AND holder = workers.pid AND holder_start IS workers.pid_start) AS running
    FROM workers ORDER BY started_at, id`,
} as const;

type Row = Omit<WorkerRow, "host">;

export class EmbeddedWorkers implements WorkerStore {
  readonly #sql: Statements<keyof typeof SQL>;
  readonly #now: () => number;

  /** `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#sql = new Statements(database, SQL);
    this.#now = now;
  }

  register({ tags, concurrency }: NewWorker): Promise<AsyncDisposable> {
    const [id, pid] = [newId(), process.pid];
    const about = { id, pid, start: processStartOf(pid), tags: JSON.stringify(tags), concurrency };
    return startHeartbeat(
      async () => {
        this.#sql.run("beat", { ...about, now: this.#now() });
        for (const row of this.#rows()) if (!isAlive(row.pid, row.pid_start)) this.#sql.run("remove", row.id);
      },
      async () => void this.#sql.run("remove", id),
    );
  }

  async list(): Promise<readonly Worker[]> {
    const oldest = this.#now() - SILENT_MS;
    return this.#rows()
      .filter((row) => row.heartbeat_at > oldest && isAlive(row.pid, row.pid_start))
      .map((row) => workerOf({ ...row, host: hostname() }));
  }

  #rows(): Row[] {
    return this.#sql.rows<Row>("list");
  }
}
