/** What the rows of stored tasks mean, whatever the engine. Times are milliseconds since 1970. */
import type { ClaimedTask, ProcessIdentity, RunningTask, Task, TaskSettings } from "#core/ports/tasks";

export interface TaskRow extends Omit<
  Task,
  "created_at" | "started_at" | "ended_at" | "duration_seconds" | "platform" | "tag" | "host"
> {
  readonly number: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly tag: string | null;
  readonly host?: string | null;
}

export interface ClaimedRow {
  readonly id: string;
  readonly prompt: string;
  readonly cwd: string;
  readonly settings: string;
  readonly attempt: number;
  readonly announced: number | boolean;
}

export interface RunningRow extends ClaimedRow {
  readonly pid: number | null;
  readonly pid_start: string | null;
  readonly holder: number | null;
  readonly holder_start: string | null;
  readonly started_at: number;
  readonly foreground: number | boolean;
  readonly cancel_requested: number | boolean;
  readonly taken_up: number | boolean;
}

/** The task that people see, at a time. */
export function taskOf({ number: _, tag, host, ...row }: TaskRow, now: number): Task {
  const { started_at: started, ended_at: ended } = row;
  const until = ended ?? (row.status === "running" ? now : null);
  const seconds = started === null || until === null ? null : Math.max(0, Math.round((until - started) / 100) / 10);
  return {
    ...row,
    platform: "task",
    created_at: new Date(row.created_at).toISOString(),
    started_at: started === null ? null : new Date(started).toISOString(),
    ended_at: ended === null ? null : new Date(ended).toISOString(),
    duration_seconds: seconds,
    ...(tag === null ? {} : { tag }),
    ...(host === null || host === undefined ? {} : { host }),
  };
}

export function claimedOf({ id, prompt, cwd, settings, attempt, announced }: ClaimedRow): ClaimedTask {
  return { id, prompt, cwd, attempt, isFirstStart: !announced, ...(JSON.parse(settings) as TaskSettings) };
}

/** `place` says where it runs, and whether it does. */
export function runningOf(
  row: RunningRow,
  place: (processes: Pick<RunningTask, "runner" | "holder">) => Pick<RunningTask, "isAlive" | "isHere" | "isEndedHere">,
): RunningTask {
  const processes = {
    runner: identityOf(row.pid, row.pid_start),
    holder: identityOf(row.holder, row.holder_start),
  };
  return {
    ...claimedOf(row),
    ...processes,
    ...place(processes),
    startedAt: row.started_at,
    isForeground: Boolean(row.foreground),
    cancelRequested: Boolean(row.cancel_requested),
    mayBeTakenUp: !row.taken_up,
  };
}

function identityOf(pid: number | null, start: string | null): ProcessIdentity | null {
  return pid === null ? null : { pid, start };
}
