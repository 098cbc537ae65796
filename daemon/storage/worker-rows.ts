import type { Worker } from "#core/ports/workers";
import { isoTime } from "./rules.ts";

/** A worker as engines store it. */
export interface WorkerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly pid_start: string | null;
  /** JSON. */
  readonly tags: string;
  readonly concurrency: number;
  readonly running: number;
  readonly started_at: number;
  readonly heartbeat_at: number;
}

export function workerOf({ id, host, pid, tags, concurrency, running, ...row }: WorkerRow): Worker {
  return {
    id,
    host,
    pid,
    tags: JSON.parse(tags) as string[],
    concurrency,
    running,
    started_at: isoTime(row.started_at),
    last_heartbeat: isoTime(row.heartbeat_at),
  };
}
