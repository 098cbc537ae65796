/**
 * The port of stored tasks. Every method is asynchronous, and each is one transaction, together with the deliveries
 * that report the change: they are stored if the change happens, and only then.
 */
import type { NewDelivery } from "./deliveries.ts";

export const TASK_STATUSES = ["queued", "running", "succeeded", "failed", "timeout", "cancelled", "lost"] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];
export type TaskEnding = "task" | "user" | "timeout" | "shutdown" | "crash";

/** A task as people see it (CONTRACT §10); times are ISO-8601, UTC. */
export interface Task {
  readonly id: string;
  readonly status: TaskStatus;
  readonly prompt: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly duration_seconds: number | null;
  /** From 1. */
  readonly attempt: number;
  /** Its place in the queue, from 1; null unless it is queued. */
  readonly position: number | null;
  readonly session_id: string | null;
  /** Where it runs, which is `task`. */
  readonly platform: string;
  readonly cwd: string;
  readonly tokens_used: number | null;
  readonly tools_called: number | null;
  readonly exit_code: number | null;
  readonly ended_by: TaskEnding | null;
  readonly error: string | null;
  readonly pid: number | null;
  /** Only for workers that take tasks with it; absent unless one was given. */
  readonly tag?: string;
  /** The name of the machine that ran it last; absent while there is none, and where all run on one. */
  readonly host?: string;
}

/** What runs a task needs to know beside the task. */
export interface TaskSettings {
  /** Requests to the model per turn; null for the configuration's. */
  readonly maxTurns: number | null;
  /** Seconds from its start; 0 for no limit. */
  readonly timeout: number;
  /** Where it was submitted, for `task_started`. */
  readonly submittedOn: string;
}

export interface NewTask extends TaskSettings {
  readonly prompt: string;
  readonly cwd: string;
  readonly idempotencyKey: string | null;
  /** The process that runs it itself, now; null for a task that waits for a worker. */
  readonly runner: ProcessIdentity | null;
  /** The name of the session that stays whose inbox gets the report; noted together with the task. */
  readonly reportTo?: string | undefined;
  /** Only workers with this tag take it. */
  readonly tag?: string | undefined;
}

/** A process beyond its pid, which may be reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Null where the system does not tell. */
  readonly start: string | null;
}

/** A task that a process got to run. */
export interface ClaimedTask extends TaskSettings {
  readonly id: string;
  readonly prompt: string;
  readonly cwd: string;
  readonly attempt: number;
  /** True unless it was started before. */
  readonly isFirstStart: boolean;
}

/** A task that is said to be running, for whoever looks whether it is. */
export interface RunningTask extends ClaimedTask {
  readonly runner: ProcessIdentity | null;
  /** The worker that claimed it. */
  readonly holder: ProcessIdentity | null;
  readonly startedAt: number;
  readonly isForeground: boolean;
  readonly cancelRequested: boolean;
  /** False once it was taken up after a crash. */
  readonly mayBeTakenUp: boolean;
  /** Whether its process, or before that the worker that claimed it, runs. */
  readonly isAlive: boolean;
  /** True when the pids are those of this machine, or container. */
  readonly isHere: boolean;
  /** True when somebody on this machine has asked for its end, and sees to it. */
  readonly isEndedHere: boolean;
}

export interface TaskResult {
  readonly status: Exclude<TaskStatus, "queued" | "running">;
  readonly exit_code: number;
  readonly ended_by: TaskEnding;
  readonly error: string | null;
}

export interface TaskFigures {
  readonly session_id: string | null;
  readonly tokens_used: number;
  readonly tools_called: number;
  /** The calls by tool since the figures before, for the home's counters. */
  readonly calls: Readonly<Record<string, number>>;
}

/** Deliveries about the task as it is after the change. */
export type Reports = (task: Task) => readonly NewDelivery[];

export interface ClaimTaskOptions {
  /** The most background tasks that run in the home at a time. */
  readonly most: number;
  /** Takes tasks with one of these tags, too. */
  readonly tags?: readonly string[] | undefined;
  /** How many at most; 1 by default. */
  readonly limit?: number | undefined;
}

/** What the process of an attempt hears while it runs. */
export interface AttemptListener {
  /**
   * The attempt has `ended` elsewhere, or its lease has `expired`: it must not go on, and its end is not its own to
   * report.
   */
  readonly onLost: (why: "ended" | "expired") => void;
  /** Somebody on another machine has asked for its end. */
  readonly onCancel: () => void;
}

export interface TaskFilter {
  readonly status?: TaskStatus | undefined;
  readonly limit?: number | undefined;
}

/** The tasks of a home. Every method rejects with what the engine throws. */
export interface TaskStore {
  /** Stores a task; gives the earlier one with the same idempotency key instead, whatever its status. */
  submit(task: NewTask): Promise<Task>;
  /** Hands out the oldest queued tasks, perhaps fewer than there are, while fewer than `most` run in the home. */
  claim(holder: ProcessIdentity, options: ClaimTaskOptions): Promise<readonly ClaimedTask[]>;
  get(id: string): Promise<Task | undefined>;
  /** Newest first. */
  list(filter: TaskFilter): Promise<readonly Task[]>;
  /** Every id that begins like this, at most ten. */
  find(beginning: string): Promise<readonly string[]>;
  running(): Promise<readonly RunningTask[]>;
  /** How many tasks wait that a worker with these tags could take. */
  queued(tags?: readonly string[]): Promise<number>;
  /** The process of an attempt runs. Stores `reports` at the task's first start only. False when the attempt is over. */
  started(id: string, attempt: number, runner: ProcessIdentity, reports: Reports): Promise<boolean>;
  /** Keeps an attempt that runs in this process, until it is disposed of: one that is not kept is taken up elsewhere. */
  keep(id: string, attempt: number, listener: AttemptListener): Disposable;
  /** What an attempt has come to so far. Its tokens and calls are counted, also when the attempt is not the last. */
  record(id: string, attempt: number, figures: TaskFigures): Promise<void>;
  /** Ends an attempt that is running, and counts the task's end; false when it is over already. */
  end(id: string, attempt: number, result: TaskResult, reports: Reports): Promise<boolean>;
  /** Ends a queued task as cancelled, or asks for the end of a running one. Gives its status before. */
  cancel(id: string): Promise<TaskStatus | undefined>;
  /** Queues a running task again: as the same attempt after a shutdown, as the next one after a crash. */
  putBack(id: string, attempt: number, why: "shutdown" | "crash"): Promise<boolean>;
  /** Queues an ended task for a further attempt; false for one that has not ended. */
  retry(id: string): Promise<boolean>;
  /** Deletes tasks that ended longer ago, and gives their ids. */
  prune(olderThanMs: number): Promise<readonly string[]>;
}

/** What surfaces other than the command line show of tasks and do with them; texts are without secrets. */
export interface TaskDesk {
  /** Newest first; one whose process is gone is not shown as running. */
  list(filter: TaskFilter): Promise<readonly Task[]>;
  get(id: string): Promise<Task | undefined>;
  /** Every id that begins like this, at most ten. */
  find(beginning: string): Promise<readonly string[]>;
  /** The last lines of what the last attempt has printed as text. */
  lastLines(id: string, most: number): Promise<readonly string[]>;
  /** Cancels a task. Resolves when it has ended, with its status before; undefined when there is none. */
  cancel(id: string): Promise<TaskStatus | undefined>;
}
