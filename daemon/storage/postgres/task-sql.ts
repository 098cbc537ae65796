/** The statements of tasks in PostgreSQL, and the rows that they give. */
import type { RunningRow } from "#daemon/storage/task-rows";

const TASK = `number, id, status, prompt, cwd, attempt, session_id, tokens_used, tools_called, exit_code, ended_by,
  error, pid, tag, host, created_at, started_at, ended_at,
  CASE status WHEN 'queued' THEN
    (SELECT COUNT(*) FROM tasks AS other WHERE other.status = 'queued' AND other.number <= tasks.number
      AND other.tag IS NOT DISTINCT FROM tasks.tag) END AS position`;
const CLAIMED = "id, prompt, cwd, settings, attempt, announced";
/** The attempt $1 of the task $2 as it is before a change, locked. */
const RUNNING = `(SELECT number AS old_number, job AS old_job, announced AS was_announced,
    COALESCE(tokens_used, 0) AS old_tokens
  FROM tasks WHERE id = $1 AND attempt = $2 AND status = 'running' FOR UPDATE) AS old`;

const JOB = "SELECT status, tag, job FROM tasks WHERE id = $1";

export const TASK_SQL = {
  byKey: `SELECT ${TASK} FROM tasks WHERE idempotency_key = $1`,
  add: `INSERT INTO tasks (id, status, prompt, cwd, tag, settings, idempotency_key, foreground, created_at, started_at,
      job, pid, pid_start, space, host, home, leased_until)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING number`,
  reportTo: "INSERT INTO inbox_tasks (task, session) VALUES ($1, $2) ON CONFLICT (task) DO NOTHING",
  active: "SELECT COUNT(*) AS count FROM tasks WHERE status = 'running' AND NOT foreground AND home = $1",
  oldestByTag: `SELECT tag FROM tasks WHERE status = 'queued' AND (tag IS NULL OR tag = ANY ($1))
    GROUP BY tag ORDER BY MIN(number)`,
  claim: `UPDATE tasks SET status = 'running', started_at = $2, ended_by = NULL, holder = $3, holder_start = $4, space = $5,
      host = $6, home = $7, leased_until = $8, pid = NULL
    WHERE job = ANY ($1::uuid[]) AND status = 'queued' RETURNING ${CLAIMED}, number, tag, job`,
  get: `SELECT ${TASK} FROM tasks WHERE id = $1`,
  list: `SELECT ${TASK} FROM tasks ORDER BY number DESC LIMIT $1`,
  listByStatus: `SELECT ${TASK} FROM tasks WHERE status = $2 ORDER BY number DESC LIMIT $1`,
  find: "SELECT id FROM tasks WHERE id >= $1 AND id < $1 || '~' ORDER BY number DESC LIMIT $2",
  running: `SELECT ${CLAIMED}, pid, pid_start, holder, holder_start, started_at, foreground, cancel_requested, cancel_space,
      taken_up, space, leased_until
    FROM tasks WHERE status = 'running' ORDER BY number`,
  queued: "SELECT COUNT(*) AS count FROM tasks WHERE status = 'queued' AND (tag IS NULL OR tag = ANY ($1))",
  started: `UPDATE tasks SET pid = $3, pid_start = $4, leased_until = $5, announced = TRUE FROM ${RUNNING}
    WHERE number = old_number RETURNING ${TASK}, was_announced`,
  keep: `UPDATE tasks SET leased_until = $3 WHERE id = $1 AND attempt = $2 AND status = 'running'
    RETURNING cancel_requested AND cancel_space IS DISTINCT FROM space AS cancelled`,
  record: `UPDATE tasks SET session_id = $3, tokens_used = $4, tools_called = $5 FROM ${RUNNING}
    WHERE number = old_number RETURNING old_tokens`,
  end: `UPDATE tasks SET status = $3, exit_code = $4, ended_by = $5, error = $6, ended_at = $7, pid = NULL,
      leased_until = NULL
    WHERE id = $1 AND attempt = $2 AND status = 'running' RETURNING ${TASK}, job`,
  job: JOB,
  lock: `${JOB} FOR UPDATE`,
  cancelQueued: `UPDATE tasks SET status = 'cancelled', exit_code = 130, ended_by = 'user', ended_at = $2
    WHERE id = $1 RETURNING ${TASK}`,
  cancelRunning: "UPDATE tasks SET cancel_requested = TRUE, cancel_space = COALESCE(cancel_space, $2) WHERE id = $1",
  putBack: `UPDATE tasks SET status = 'queued', ended_by = $3, attempt = attempt + $4, taken_up = taken_up OR $4 > 0,
      pid = NULL, started_at = NULL, session_id = NULL, tokens_used = NULL, tools_called = NULL, leased_until = NULL,
      job = $5
    FROM ${RUNNING} WHERE number = old_number RETURNING number, tag, old_job AS job`,
  retry: `UPDATE tasks SET status = 'queued', attempt = attempt + 1, taken_up = FALSE, foreground = FALSE,
      cancel_requested = FALSE, cancel_space = NULL, started_at = NULL, ended_at = NULL, exit_code = NULL,
      ended_by = NULL, error = NULL, session_id = NULL, tokens_used = NULL, tools_called = NULL, job = $2
    WHERE id = $1 RETURNING number, tag`,
  prune: "DELETE FROM tasks WHERE ended_at < $1 AND status NOT IN ('queued', 'running') RETURNING id",
} as const;

export interface JobRow {
  readonly number: number;
  readonly tag: string | null;
  readonly job: string | null;
}

export interface PlacedRow extends RunningRow {
  readonly space: string;
  readonly cancel_space: string | null;
  readonly leased_until: number;
}
