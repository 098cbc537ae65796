/** The workers of all machines, in PostgreSQL. */
import { isAlive, processStartOf } from "#core/process-identity";
import { SILENT_MS } from "#core/heartbeat";
import type { NewWorker, Worker, WorkerStore } from "#core/ports/workers";
import { startHeartbeat } from "#daemon/storage/heartbeat";
import { newId } from "#daemon/storage/ids";
import { workerOf, type WorkerRow } from "#daemon/storage/worker-rows";
import type { PostgresDatabase } from "./database.ts";
import type { Machine } from "./machine.ts";
import type { TaskQueue } from "./queue.ts";
import type { ServerTime } from "./sql.ts";

const SQL = {
  beat: `INSERT INTO workers (id, host, space, pid, pid_start, tags, concurrency, started_at, heartbeat_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at
    RETURNING (SELECT COUNT(*) FROM workers AS other WHERE other.heartbeat_at > $9 AND other.id <> $1) AS others`,
  remove: "DELETE FROM workers WHERE id = $1 OR heartbeat_at < $2",
  list: `SELECT id, host, space, pid, pid_start, tags, concurrency, started_at, heartbeat_at,
      (SELECT COUNT(*) FROM tasks WHERE status = 'running' AND NOT foreground AND tasks.space = workers.space
        AND holder = workers.pid AND holder_start IS NOT DISTINCT FROM workers.pid_start) AS running
    FROM workers WHERE heartbeat_at > $1 ORDER BY started_at, id`,
} as const;

export interface PostgresWorkersOptions {
  readonly database: PostgresDatabase;
  readonly queue: TaskQueue;
  readonly machine: Machine;
  readonly now: ServerTime;
}

export class PostgresWorkers implements WorkerStore {
  readonly #options: PostgresWorkersOptions;
  #live = 0;

  constructor(options: PostgresWorkersOptions) {
    this.#options = options;
  }

  /** How many workers lived at the last heartbeat of this one; 0 where there is none. */
  get live(): number {
    return this.#live;
  }

  register({ tags, concurrency }: NewWorker): Promise<AsyncDisposable> {
    const { database, queue, machine, now } = this.#options;
    const [id, pid] = [newId(), process.pid];
    const about = [id, machine.host, machine.space, pid, processStartOf(pid), JSON.stringify(tags), concurrency];
    return startHeartbeat(
      async () => {
        const time = await now();
        const [row] = await database.rows<{ others: number }>(SQL.beat, ...about, time, time - SILENT_MS);
        this.#live = 1 + (row?.others ?? 0);
        await queue.supervise();
      },
      async () => void (await database.run(SQL.remove, id, (await now()) - 10 * SILENT_MS)),
    );
  }

  async list(): Promise<readonly Worker[]> {
    const { database, machine, now } = this.#options;
    const rows = await database.rows<WorkerRow & { space: string }>(SQL.list, (await now()) - SILENT_MS);
    return rows
      .filter(({ space, pid, pid_start: start }) => space !== machine.space || isAlive(pid, start))
      .map(({ space: _, ...row }) => workerOf(row));
  }
}
