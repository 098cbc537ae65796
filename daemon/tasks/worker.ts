/** Runs the queued tasks of a home, each in a process of its own, and looks after what other workers have left. */
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ClaimedTask, ProcessIdentity, Reports, RunningTask, TaskStore } from "#core/ports/tasks";
import { processStartOf } from "#core/process-identity";
import { createRareLog } from "#core/rare-log";
import { settleTasks } from "./settle.ts";

/** A child process, as far as it is needed here. */
export interface TaskProcess {
  readonly pid?: number | undefined;
  readonly stderr: NodeJS.ReadableStream | null;
  kill(signal: NodeJS.Signals): boolean;
  once(event: "exit", listener: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
}

/** A part of `background` in the configuration. */
export interface WorkerSettings {
  /** Without, no task is taken. */
  readonly enabled: boolean;
  /** Background tasks at a time, in the whole home. */
  readonly max_concurrent: number;
  readonly persist_on_restart: boolean;
}

export interface WorkerOptions {
  readonly store: TaskStore;
  /** Starts the process of a task, as the leader of its group. Throws when the system cannot. */
  readonly start: (task: ClaimedTask) => TaskProcess;
  /** Kills a task's process at once, with everything that it has started. */
  readonly kill: (pid: number) => void;
  /** The settings of now. */
  readonly settings: () => WorkerSettings;
  /** Tags of tasks that it takes beside those without one. */
  readonly tags: readonly string[];
  /** How many tasks it runs at a time itself. */
  readonly concurrency: number;
  /** Ends the process of a running task that somebody on another machine has cancelled. */
  readonly cancel: (id: string) => Promise<void>;
  /** Called before tasks are claimed: the settings may have changed. */
  readonly refresh?: (() => Promise<void>) | undefined;
  readonly reports: Reports;
  /** The reports of a task's first start. */
  readonly startReports: (task: ClaimedTask) => Reports;
  /** Called when something was reported. */
  readonly onChange: () => void;
  /** True when others can wake it, so that it need not look for new tasks all the time. */
  readonly isWakable: boolean;
  readonly log: Log;
}

/** How often it looks for what nothing woke it for, while there is something to do and while there is not. */
const LOOK_MS = 2000;
const IDLE_LOOK_MS = 60_000;
/** How long running tasks may go on after the first request to stop, and after they were interrupted. */
const DRAIN_MS = 30_000;
const INTERRUPT_MS = 8000;
/** A task ends itself at its limit; one that does not is killed after this. */
const OVERTIME_MS = 15_000;

interface Running {
  readonly task: ClaimedTask;
  readonly child: TaskProcess;
  readonly ended: Promise<void>;
  overtime: NodeJS.Timeout | undefined;
  stderr: string;
  killed: "timeout" | "shutdown" | undefined;
}

export class TaskWorker {
  readonly #options: WorkerOptions;
  readonly #self: ProcessIdentity = { pid: process.pid, start: processStartOf(process.pid) };
  readonly #running = new Map<string, Running>();
  readonly #rare: (sentence: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isWaiting = false;
  /** The tasks whose end it sees to. */
  readonly #ending = new Set<string>();
  readonly #hurried = Promise.withResolvers<void>();
  #stopping = false;
  /** When the last task ended, as of `performance.now()`; the start at first. */
  #idleSince = performance.now();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  /** How long it has had nothing to run, in milliseconds. */
  get idleMs(): number {
    return this.#running.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  /** The number of running tasks. */
  get active(): number {
    return this.#running.size;
  }

  /** Looks for tasks now. */
  wake(): void {
    this.#lookAgain = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Takes no more tasks. Gives the running ones time, then interrupts them and queues them again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#looking;
    const all = Promise.all([...this.#running.values()].map(({ ended }) => ended));
    if (await isLate(Promise.race([all, this.#hurried.promise]), DRAIN_MS)) this.#interrupt();
    if (this.#running.size > 0) {
      if (await isLate(all, INTERRUPT_MS)) for (const running of this.#running.values()) this.#kill(running);
    }
    await all;
  }

  /** Interrupts the running tasks at once, and at a stop. */
  hurry(): void {
    this.#hurried.resolve();
    this.#interrupt();
  }

  #interrupt(): void {
    for (const running of this.#running.values()) {
      running.killed ??= "shutdown";
      running.child.kill("SIGTERM");
    }
  }

  async #look(): Promise<void> {
    while (this.#lookAgain && !this.#stopping) {
      this.#lookAgain = false;
      try {
        await this.#settleAndClaim();
      } catch (error) {
        // Nobody knows what waits.
        this.#isWaiting = true;
        this.#rare(`tasks cannot be read or written: ${problemOf(error)}`);
      }
    }
    this.#plan();
  }

  async #settleAndClaim(): Promise<void> {
    const { store, settings, refresh, reports, tags } = this.#options;
    await refresh?.();
    const running = await store.running();
    await settleTasks(store, { persist: settings().persist_on_restart, reports, running });
    this.#endCancelled(running);
    // Of many workers that were woken, most find nothing: that is told by less than a claim.
    const isQueued = (await store.queued(tags)) > 0;
    if (isQueued) await this.#takeTasks();
    this.#isWaiting = this.#running.size > 0 || isQueued;
  }

  /** Takes tasks until it has enough of them, or there are none. */
  async #takeTasks(): Promise<void> {
    const { store, settings, tags, concurrency } = this.#options;
    while (!this.#stopping && settings().enabled && this.#running.size < concurrency) {
      const limit = concurrency - this.#running.size;
      const tasks = await store.claim(this.#self, { most: settings().max_concurrent, tags, limit });
      if (tasks.length === 0) break;
      await Promise.all(tasks.map((task) => this.#begin(task)));
    }
  }

  /** Whoever cancels a task on this machine ends it there. */
  #endCancelled(running: readonly RunningTask[]): void {
    for (const { id, cancelRequested, isHere, isEndedHere } of running) {
      if (!cancelRequested || !isHere || isEndedHere || !this.#running.has(id) || this.#ending.has(id)) continue;
      this.#ending.add(id);
      void this.#options
        .cancel(id)
        .catch((error: unknown) => this.#rare(`task ${id} cannot be cancelled: ${problemOf(error)}`))
        .finally(() => this.#ending.delete(id));
    }
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const pause = this.#isWaiting || !this.#options.isWakable ? LOOK_MS : IDLE_LOOK_MS;
    if (!this.#stopping) this.#timer = setTimeout(() => this.wake(), pause);
  }

  async #begin(task: ClaimedTask): Promise<void> {
    let child: TaskProcess;
    try {
      child = this.#options.start(task);
    } catch (error) {
      return this.#failed(task, `its process cannot be started: ${problemOf(error)}`);
    }
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { task, child, ended, overtime: undefined, stderr: "", killed: undefined };
    this.#running.set(task.id, running);
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      running.stderr = `${running.stderr}${text}`.slice(-2000);
    });
    if (task.timeout > 0) running.overtime = this.#limit(running);
    const onEnd = (problem: string | null) =>
      void this.#ended(running, problem).finally(() => {
        this.#running.delete(task.id);
        this.#idleSince = performance.now();
        this.#options.onChange();
        resolve();
        this.wake();
      });
    child.once("error", (error) => {
      if (child.pid === undefined) onEnd(`its process cannot be started: ${problemOf(error)}`);
    });
    child.once("exit", () => onEnd(null));
    const { pid } = child;
    if (pid === undefined) return;
    const { store, startReports } = this.#options;
    await store.started(task.id, task.attempt, { pid, start: processStartOf(pid) }, startReports(task));
    this.#options.onChange();
  }

  #limit(running: Running): NodeJS.Timeout {
    return setTimeout(
      () => {
        running.killed = "timeout";
        this.#kill(running);
      },
      running.task.timeout * 1000 + OVERTIME_MS,
    );
  }

  #kill({ child: { pid } }: Running): void {
    if (pid !== undefined) this.#options.kill(pid);
  }

  /** The process is gone: it has written its end itself, unless it was killed. */
  async #ended({ task, overtime, killed, stderr }: Running, problem: string | null): Promise<void> {
    clearTimeout(overtime);
    const { store, reports } = this.#options;
    const { id, attempt, timeout } = task;
    try {
      if (problem !== null) await this.#failed(task, problem);
      else if (killed === "shutdown") await store.putBack(id, attempt, "shutdown");
      else if (killed === "timeout") {
        const error = `it did not end within ${timeout} s and was killed`;
        await store.end(id, attempt, { status: "timeout", exit_code: 124, ended_by: "timeout", error }, reports);
      }
      const last = stderr.trim().split("\n").at(-1) ?? "";
      if (last !== "") this.#options.log.debug(`task ${id}: ${last}`);
    } catch (error) {
      this.#rare(`the end of task ${id} cannot be stored: ${problemOf(error)}`);
    }
  }

  async #failed({ id, attempt }: ClaimedTask, error: string): Promise<void> {
    const { store, reports } = this.#options;
    await store.end(id, attempt, { status: "failed", exit_code: 1, ended_by: "task", error }, reports);
  }
}

async function isLate(work: Promise<unknown>, ms: number): Promise<boolean> {
  return (await withDeadline(ms, () => work)).kind === "late";
}
