/** Tasks in `state.db`, written by several processes. Every method is done when it returns its promise. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import { isAlive } from "#core/process-identity";
import type {
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
import type { EmbeddedDeliveries } from "./embedded-deliveries.ts";
import { EmbeddedCounters } from "./embedded-counters.ts";
import { newId } from "./ids.ts";
import { endCounts, workCounts } from "./task-counts.ts";
import { Statements } from "./statements.ts";
import { claimedOf, runningOf, taskOf, type ClaimedRow, type RunningRow, type TaskRow } from "./task-rows.ts";

const MOST_CANDIDATES = 10;

const TASK = `number, id, status, prompt, cwd, attempt, session_id, tokens_used, tools_called, exit_code, ended_by, error,
  pid, tag, created_at, started_at, ended_at,
  CASE status WHEN 'queued' THEN
    (SELECT COUNT(*) FROM tasks AS other WHERE other.status = 'queued' AND other.number <= tasks.number
      AND other.tag IS tasks.tag) END AS position`;
const TAKEN = "status = 'queued' AND (tag IS NULL OR tag IN (SELECT value FROM json_each(?)))";
const CLAIMED = "id, prompt, cwd, settings, attempt, announced";

const SQL = {
  byKey: `SELECT ${TASK} FROM tasks WHERE idempotency_key = ?`,
  add: `INSERT INTO tasks (id, status, prompt, cwd, settings, idempotency_key, foreground, created_at, started_at, pid, pid_start, tag)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  // What the inbox reads: a crash between the two would leave a task that reports to nobody.
  reportTo: "INSERT OR IGNORE INTO inbox_tasks (task, session) VALUES (?, ?)",
  active: "SELECT COUNT(*) AS count FROM tasks WHERE status = 'running' AND foreground = 0",
  claim: `UPDATE tasks SET status = 'running', started_at = ?, ended_by = NULL, holder = ?, holder_start = ?
    WHERE number = (SELECT MIN(number) FROM tasks WHERE ${TAKEN}) RETURNING ${CLAIMED}`,
  get: `SELECT ${TASK} FROM tasks WHERE id = ?`,
  list: `SELECT ${TASK} FROM tasks ORDER BY number DESC LIMIT :limit`,
  listByStatus: `SELECT ${TASK} FROM tasks WHERE status = :status ORDER BY number DESC LIMIT :limit`,
  find: "SELECT id FROM tasks WHERE id >= :from AND id < :from || '~' ORDER BY number DESC LIMIT :limit",
  running: `SELECT ${CLAIMED}, pid, pid_start, holder, holder_start, started_at, foreground, cancel_requested, taken_up
    FROM tasks WHERE status = 'running' ORDER BY number`,
  queued: `SELECT COUNT(*) AS count FROM tasks WHERE ${TAKEN}`,
  started: `UPDATE tasks SET pid = ?, pid_start = ? WHERE id = ? AND attempt = ? AND status = 'running' RETURNING announced`,
  announced: "UPDATE tasks SET announced = 1 WHERE id = ?",
  tokens: "SELECT COALESCE(tokens_used, 0) AS tokens FROM tasks WHERE id = ? AND attempt = ? AND status = 'running'",
  record: `UPDATE tasks SET session_id = ?, tokens_used = ?, tools_called = ?
    WHERE id = ? AND attempt = ? AND status = 'running'`,
  end: `UPDATE tasks SET status = ?, exit_code = ?, ended_by = ?, error = ?, ended_at = ?, pid = NULL
    WHERE id = ? AND attempt = ? AND status = 'running'`,
  cancelQueued: `UPDATE tasks SET status = 'cancelled', exit_code = 130, ended_by = 'user', ended_at = ?
    WHERE id = ? AND status = 'queued'`,
  cancelRunning: "UPDATE tasks SET cancel_requested = 1 WHERE id = ? AND status = 'running'",
  putBack: `UPDATE tasks SET status = 'queued', ended_by = ?, attempt = attempt + ?, taken_up = taken_up + ?, pid = NULL,
    started_at = NULL, session_id = NULL, tokens_used = NULL, tools_called = NULL
    WHERE id = ? AND attempt = ? AND status = 'running'`,
  retry: `UPDATE tasks SET status = 'queued', attempt = attempt + 1, taken_up = 0, foreground = 0, cancel_requested = 0,
    started_at = NULL, ended_at = NULL, exit_code = NULL, ended_by = NULL, error = NULL, session_id = NULL,
    tokens_used = NULL, tools_called = NULL WHERE id = ? AND status NOT IN ('queued', 'running')`,
  prune: "DELETE FROM tasks WHERE ended_at < ? AND status NOT IN ('queued', 'running') RETURNING id",
} as const;

export class EmbeddedTasks implements TaskStore {
  readonly #database: DatabaseSync;
  readonly #deliveries: EmbeddedDeliveries;
  readonly #counters: EmbeddedCounters;
  readonly #sql: Statements<keyof typeof SQL>;
  readonly #now: () => number;

  /** `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, deliveries: EmbeddedDeliveries, now: () => number = Date.now) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
    this.#deliveries = deliveries;
    this.#counters = new EmbeddedCounters(database);
    this.#now = now;
  }

  async submit(task: NewTask): Promise<Task> {
    const { prompt, cwd, idempotencyKey: key, runner, maxTurns, timeout, submittedOn, reportTo, tag = null } = task;
    return transaction(this.#database, () => {
      const [known] = key === null ? [] : this.#sql.rows<TaskRow>("byKey", key);
      if (known !== undefined) {
        if (reportTo !== undefined) this.#sql.run("reportTo", known.id, reportTo);
        return this.#describe(known);
      }
      const id = newId();
      const settings: TaskSettings = { maxTurns, timeout, submittedOn };
      const now = this.#now();
      const [status, startedAt] = runner === null ? ["queued", null] : ["running", now];
      const foreground = runner === null ? 0 : 1;
      const who = [runner?.pid ?? null, runner?.start ?? null, tag];
      this.#sql.run("add", id, status, prompt, cwd, JSON.stringify(settings), key, foreground, now, startedAt, ...who);
      if (reportTo !== undefined) this.#sql.run("reportTo", id, reportTo);
      return this.#known(id)!;
    });
  }

  async claim(
    { pid, start }: ProcessIdentity,
    { most, tags = [], limit = 1 }: ClaimTaskOptions,
  ): Promise<readonly ClaimedTask[]> {
    return transaction(this.#database, () => {
      const room = Math.min(limit, most - this.#sql.rows<{ count: number }>("active")[0]!.count);
      const claimed: ClaimedTask[] = [];
      while (claimed.length < room) {
        const [row] = this.#sql.rows<ClaimedRow>("claim", this.#now(), pid, start, JSON.stringify(tags));
        if (row === undefined) break;
        claimed.push(claimedOf(row));
      }
      return claimed;
    });
  }

  async get(id: string): Promise<Task | undefined> {
    return this.#known(id);
  }

  async list({ status, limit = 50 }: TaskFilter): Promise<readonly Task[]> {
    const rows =
      status === undefined
        ? this.#sql.rows<TaskRow>("list", { limit })
        : this.#sql.rows<TaskRow>("listByStatus", { status, limit });
    return rows.map((row) => this.#describe(row));
  }

  async find(beginning: string): Promise<readonly string[]> {
    return this.#sql.rows<{ id: string }>("find", { from: beginning, limit: MOST_CANDIDATES }).map(({ id }) => id);
  }

  async running(): Promise<readonly RunningTask[]> {
    return this.#sql.rows<RunningRow>("running").map((row) => runningOf(row, placeHere));
  }

  async queued(tags: readonly string[] = []): Promise<number> {
    return this.#sql.rows<{ count: number }>("queued", JSON.stringify(tags))[0]!.count;
  }

  async started(id: string, attempt: number, { pid, start }: ProcessIdentity, reports: Reports): Promise<boolean> {
    return transaction(this.#database, () => {
      const [row] = this.#sql.rows<{ announced: number }>("started", pid, start, id, attempt);
      if (row === undefined) return false;
      if (row.announced === 1) return true;
      this.#sql.run("announced", id);
      this.#report(id, reports);
      return true;
    });
  }

  /** Its pid tells that the process is there, and whoever cancels it ends the process. */
  keep(): Disposable {
    return new DisposableStack();
  }

  async record(id: string, attempt: number, figures: TaskFigures): Promise<void> {
    const { session_id, tokens_used, tools_called, calls } = figures;
    transaction(this.#database, () => {
      const [known] = this.#sql.rows<{ tokens: number }>("tokens", id, attempt);
      if (known === undefined) return;
      this.#sql.run("record", session_id, tokens_used, tools_called, id, attempt);
      this.#counters.insert(workCounts(tokens_used - known.tokens, calls));
    });
  }

  async end(id: string, attempt: number, result: TaskResult, reports: Reports): Promise<boolean> {
    const { status, exit_code, ended_by, error } = result;
    return transaction(this.#database, () => {
      if (this.#sql.run("end", status, exit_code, ended_by, error, this.#now(), id, attempt).changes === 0)
        return false;
      this.#counters.insert(endCounts(this.#known(id)!));
      this.#report(id, reports);
      return true;
    });
  }

  async cancel(id: string): Promise<TaskStatus | undefined> {
    return transaction(this.#database, () => {
      const before = this.#known(id)?.status;
      if (before === "queued") {
        this.#sql.run("cancelQueued", this.#now(), id);
        this.#counters.insert(endCounts(this.#known(id)!));
      }
      if (before === "running") this.#sql.run("cancelRunning", id);
      return before;
    });
  }

  async putBack(id: string, attempt: number, why: "shutdown" | "crash"): Promise<boolean> {
    const further = why === "crash" ? 1 : 0;
    return this.#sql.run("putBack", why, further, further, id, attempt).changes > 0;
  }

  async retry(id: string): Promise<boolean> {
    return this.#sql.run("retry", id).changes > 0;
  }

  async prune(olderThanMs: number): Promise<readonly string[]> {
    return this.#sql.rows<{ id: string }>("prune", this.#now() - olderThanMs).map(({ id }) => id);
  }

  /** In the caller's transaction. */
  #report(id: string, reports: Reports): void {
    this.#deliveries.insert(reports(this.#known(id)!));
  }

  #known(id: string): Task | undefined {
    const [row] = this.#sql.rows<TaskRow>("get", id);
    return row && this.#describe(row);
  }

  #describe(row: TaskRow): Task {
    return taskOf(row, this.#now());
  }
}

/** A task that no process has begun to run belongs to the worker that claimed it. */
function placeHere({ runner, holder }: Pick<RunningTask, "runner" | "holder">) {
  const owner = runner ?? holder;
  return { isAlive: owner !== null && isAlive(owner.pid, owner.start), isHere: true, isEndedHere: true };
}
