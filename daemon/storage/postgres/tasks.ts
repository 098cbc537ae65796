/** Tasks in PostgreSQL, run by workers on any number of machines. Their queue is `queue.ts`. */
import { randomUUID } from "node:crypto";
import { isAlive } from "#core/process-identity";
import type {
  AttemptListener,
  ClaimedTask,
  ClaimTaskOptions,
  NewTask,
  ProcessIdentity,
  Reports,
  RunningTask,
  Task,
  TaskFigures,
  TaskFilter,
  TaskResult,
  TaskSettings,
  TaskStatus,
  TaskStore,
} from "#core/ports/tasks";
import { newId } from "#daemon/storage/ids";
import { endCounts, workCounts } from "#daemon/storage/task-counts";
import { claimedOf, runningOf, taskOf, type ClaimedRow, type TaskRow } from "#daemon/storage/task-rows";
import type { PostgresCounters } from "./counters.ts";
import type { PostgresDatabase } from "./database.ts";
import type { PostgresDeliveries } from "./deliveries.ts";
import { Lease, LEASE_TIMES, type LeaseTimes } from "./lease.ts";
import type { Machine } from "./machine.ts";
import type { TaskQueue } from "./queue.ts";
import type { ServerTime, Sql, Transaction } from "./sql.ts";
import { TASK_SQL, type JobRow, type PlacedRow } from "./task-sql.ts";

export interface PostgresTasksOptions {
  readonly database: PostgresDatabase;
  readonly queue: TaskQueue;
  readonly deliveries: Pick<PostgresDeliveries, "insert">;
  readonly counters: PostgresCounters;
  /** Where this process runs. */
  readonly machine: Machine;
  /** The time of the server, in milliseconds since 1970. */
  readonly now: ServerTime;
  /** Of an attempt; for tests. */
  readonly lease?: LeaseTimes | undefined;
}

const MOST_CANDIDATES = 10;
/** In one transaction. */
const MOST_CLAIMED = 50;

export class PostgresTasks implements TaskStore {
  readonly #options: PostgresTasksOptions;
  readonly #database: PostgresDatabase;
  readonly #queue: TaskQueue;
  readonly #lease: LeaseTimes;

  constructor(options: PostgresTasksOptions) {
    this.#options = options;
    this.#database = options.database;
    this.#queue = options.queue;
    this.#lease = options.lease ?? LEASE_TIMES;
  }

  async submit(task: NewTask): Promise<Task> {
    const { runner, tag = null, idempotencyKey: key, reportTo } = task;
    if (runner === null) await this.#queue.prepare([tag]);
    const now = await this.#options.now();
    return this.#database.transaction(async (tx) => {
      const known = await this.#byKey(tx, key);
      const { id, isNew } = known === undefined ? await this.#insert(tx, task, now) : { id: known.id, isNew: false };
      if (reportTo !== undefined) await tx.run(TASK_SQL.reportTo, id, reportTo);
      if (isNew && runner === null) await tx.notify("tasks");
      return (await this.#known(tx, id, now))!;
    });
  }

  async claim(
    holder: ProcessIdentity,
    { most, tags = [], limit = 1 }: ClaimTaskOptions,
  ): Promise<readonly ClaimedTask[]> {
    await this.#queue.prepare([null, ...tags]);
    const now = await this.#options.now();
    const { home } = this.#options.machine;
    return this.#database.transaction(async (tx) => {
      // Counted once the lock is there: statements of a transaction run in their order.
      const locked = tx.lock(`tasks ${home}`);
      const [[active]] = await Promise.all([tx.rows<{ count: number }>(TASK_SQL.active, home), locked]);
      const room = Math.min(limit, most - active!.count, MOST_CLAIMED);
      if (room <= 0) return [];
      const queues = await oldestFirst(tx, tags);
      for (const tag of queues) {
        // Of several queues, the oldest task of all comes first.
        const claimed = await this.#claimFrom(tx, tag, { holder, now, limit: queues.length === 1 ? room : 1 });
        if (claimed.length > 0) return claimed;
      }
      return [];
    });
  }

  async get(id: string): Promise<Task | undefined> {
    return this.#known(this.#database, id, await this.#options.now());
  }

  async list({ status, limit = 50 }: TaskFilter): Promise<readonly Task[]> {
    const now = await this.#options.now();
    const rows =
      status === undefined
        ? await this.#database.rows<TaskRow>(TASK_SQL.list, limit)
        : await this.#database.rows<TaskRow>(TASK_SQL.listByStatus, limit, status);
    return rows.map((row) => taskOf(row, now));
  }

  async find(beginning: string): Promise<readonly string[]> {
    const rows = await this.#database.rows<{ id: string }>(TASK_SQL.find, beginning, MOST_CANDIDATES);
    return rows.map(({ id }) => id);
  }

  async running(): Promise<readonly RunningTask[]> {
    const now = await this.#options.now();
    const { space } = this.#options.machine;
    const rows = await this.#database.rows<PlacedRow>(TASK_SQL.running);
    return rows.map((row) =>
      runningOf(row, ({ runner, holder }) => {
        const owner = runner ?? holder;
        const isHere = row.space === space;
        const isGone = isHere && (owner === null || !isAlive(owner.pid, owner.start));
        return { isAlive: row.leased_until > now && !isGone, isHere, isEndedHere: row.cancel_space === space };
      }),
    );
  }

  async queued(tags: readonly string[] = []): Promise<number> {
    return (await this.#database.rows<{ count: number }>(TASK_SQL.queued, tags))[0]!.count;
  }

  async started(id: string, attempt: number, { pid, start }: ProcessIdentity, reports: Reports): Promise<boolean> {
    const now = await this.#options.now();
    return this.#database.transaction(async (tx) => {
      const values = [id, attempt, pid, start, now + this.#lease.leaseMs];
      const [row] = await tx.rows<TaskRow & { was_announced: boolean }>(TASK_SQL.started, ...values);
      if (row === undefined) return false;
      const { was_announced, ...task } = row;
      if (!was_announced) await this.#report(tx, taskOf(task, now), reports);
      return true;
    });
  }

  keep(id: string, attempt: number, listener: AttemptListener): Disposable {
    return new Lease(
      async () => {
        const leased = (await this.#options.now()) + this.#lease.leaseMs;
        const [row] = await this.#database.rows<{ cancelled: boolean }>(TASK_SQL.keep, id, attempt, leased);
        return row === undefined ? "gone" : row.cancelled ? "cancelled" : "kept";
      },
      listener,
      this.#lease,
    );
  }

  async record(id: string, attempt: number, figures: TaskFigures): Promise<void> {
    const { session_id, tokens_used, tools_called, calls } = figures;
    await this.#database.transaction(async (tx) => {
      const values = [id, attempt, session_id, tokens_used, tools_called];
      const [before] = await tx.rows<{ old_tokens: number }>(TASK_SQL.record, ...values);
      if (before === undefined) return;
      await this.#options.counters.insert(tx, workCounts(tokens_used - before.old_tokens, calls));
    });
  }

  async end(id: string, attempt: number, result: TaskResult, reports: Reports): Promise<boolean> {
    const { status, exit_code, ended_by, error } = result;
    const now = await this.#options.now();
    return this.#database.transaction(async (tx) => {
      const values = [id, attempt, status, exit_code, ended_by, error, now];
      const [row] = await tx.rows<TaskRow & Pick<JobRow, "job">>(TASK_SQL.end, ...values);
      if (row === undefined) return false;
      const { job, ...ended } = row;
      const task = taskOf(ended, now);
      const report = this.#report(tx, task, reports);
      const count = this.#options.counters.insert(tx, endCounts(task));
      await Promise.all([report, count, this.#queue.complete(tx, ended.tag, job)]);
      return true;
    });
  }

  async cancel(id: string): Promise<TaskStatus | undefined> {
    const now = await this.#options.now();
    return this.#database.transaction(async (tx) => {
      const [before] = await tx.rows<JobRow & Pick<Task, "status">>(TASK_SQL.lock, id);
      if (before?.status === "queued") {
        const [row] = await tx.rows<TaskRow>(TASK_SQL.cancelQueued, id, now);
        await this.#options.counters.insert(tx, endCounts(taskOf(row!, now)));
        await this.#queue.cancel(tx, before.tag, before.job);
      }
      if (before?.status === "running") {
        await tx.run(TASK_SQL.cancelRunning, id, this.#options.machine.space);
        await tx.notify("tasks");
      }
      return before?.status;
    });
  }

  async putBack(id: string, attempt: number, why: "shutdown" | "crash"): Promise<boolean> {
    return this.#database.transaction(async (tx) => {
      const job = randomUUID();
      const [old] = await tx.rows<JobRow>(TASK_SQL.putBack, id, attempt, why, why === "crash" ? 1 : 0, job);
      if (old === undefined) return false;
      await this.#queue.complete(tx, old.tag, old.job);
      await this.#queue.send(tx, { id, number: old.number, tag: old.tag, job });
      await tx.notify("tasks");
      return true;
    });
  }

  async retry(id: string): Promise<boolean> {
    const [known] = await this.#database.rows<JobRow>(TASK_SQL.job, id);
    if (known === undefined) return false;
    // One that ran in the foreground may be the first of its tag.
    await this.#queue.prepare([known.tag]);
    return this.#database.transaction(async (tx) => {
      const [before] = await tx.rows<Pick<Task, "status">>(TASK_SQL.lock, id);
      if (before === undefined || before.status === "queued" || before.status === "running") return false;
      const job = randomUUID();
      const [{ number, tag }] = (await tx.rows<JobRow>(TASK_SQL.retry, id, job)) as [JobRow];
      await this.#queue.send(tx, { id, number, tag, job });
      await tx.notify("tasks");
      return true;
    });
  }

  async prune(olderThanMs: number): Promise<readonly string[]> {
    const before = (await this.#options.now()) - olderThanMs;
    return (await this.#database.rows<{ id: string }>(TASK_SQL.prune, before)).map(({ id }) => id);
  }

  /** The new task, or the one that another process has stored with the same key meanwhile. */
  async #insert(
    tx: Transaction,
    task: NewTask,
    now: number,
  ): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const { prompt, cwd, idempotencyKey: key, runner, maxTurns, timeout, submittedOn, tag = null } = task;
    const { space, host, home } = this.#options.machine;
    const [id, settings] = [newId(), { maxTurns, timeout, submittedOn } satisfies TaskSettings];
    const job = runner === null ? randomUUID() : null;
    const run =
      runner === null
        ? ["queued", null, null, null, null, null, null, null]
        : ["running", now, runner.pid, runner.start, space, host, home, now + this.#lease.leaseMs];
    const [status, startedAt, ...place] = run;
    const values = [id, status, prompt, cwd, tag, JSON.stringify(settings), key, runner !== null, now, startedAt, job];
    const [added] = await tx.rows<{ number: number }>(TASK_SQL.add, ...values, ...place);
    if (added === undefined) return { id: (await this.#byKey(tx, key))!.id, isNew: false };
    if (job !== null) await this.#queue.send(tx, { id, number: added.number, tag, job });
    return { id, isNew: true };
  }

  async #byKey(tx: Sql, key: string | null): Promise<TaskRow | undefined> {
    return key === null ? undefined : (await tx.rows<TaskRow>(TASK_SQL.byKey, key))[0];
  }

  async #claimFrom(
    tx: Transaction,
    tag: string | null,
    { holder: { pid, start }, now, limit }: { holder: ProcessIdentity; now: number; limit: number },
  ): Promise<readonly ClaimedTask[]> {
    const { space, host, home } = this.#options.machine;
    for (;;) {
      const jobs = await this.#queue.fetch(tx, tag, limit);
      if (jobs.length === 0) return [];
      const where = [now, pid, start, space, host, home, now + this.#lease.leaseMs];
      const rows = await tx.rows<ClaimedRow & JobRow>(TASK_SQL.claim, jobs, ...where);
      const claimed = new Set(rows.map(({ job }) => job));
      // Their tasks were deleted from the table by hand.
      for (const job of jobs) if (!claimed.has(job)) await this.#queue.complete(tx, tag, job);
      if (rows.length > 0) return rows.toSorted((one, other) => one.number - other.number).map(claimedOf);
    }
  }

  async #report(tx: Transaction, task: Task, reports: Reports): Promise<void> {
    const deliveries = reports(task);
    if (deliveries.length > 0) await this.#options.deliveries.insert(tx, deliveries);
  }

  async #known(sql: Sql, id: string, now: number): Promise<Task | undefined> {
    const [row] = await sql.rows<TaskRow>(TASK_SQL.get, id);
    return row && taskOf(row, now);
  }
}

/** The queues to look into, the one with the task that has waited longest first. */
async function oldestFirst(tx: Transaction, tags: readonly string[]): Promise<readonly (string | null)[]> {
  if (tags.length === 0) return [null];
  return (await tx.rows<{ tag: string | null }>(TASK_SQL.oldestByTag, tags)).map(({ tag }) => tag);
}
