/** Watches a task until it ends, or until the person who watches has seen enough. */
import { setTimeout as pause } from "node:timers/promises";
import type { Task } from "#core/ports/tasks";
import { taskState } from "#core/tasks-command";
import { elapsed } from "#core/age";
import type { CliContext } from "../context.ts";
import { onStopSignal } from "../shutdown.ts";
import { ProgressLine } from "./progress.ts";

const LOOK_MS = 200;
const counts = new Intl.NumberFormat("en");

export class TaskWatch implements Disposable {
  readonly #progress: ProgressLine;
  readonly #stopped = new AbortController();
  readonly #unlisten: () => void;
  #code = 0;

  constructor(context: CliContext) {
    this.#progress = new ProgressLine(context);
    this.#unlisten = onStopSignal((code) => {
      this.#code = code;
      this.#stopped.abort();
    });
  }

  /** The context to print with while it watches. */
  get context(): CliContext {
    return this.#progress.context;
  }

  /**
   * Shows how the task is doing, and waits until the next look. False after Ctrl+C or TERM: then it has said how to look
   * again, and set the exit code.
   */
  async untilNext(task: Task): Promise<boolean> {
    this.#progress.show(progressOf(task, Date.now()), taskState(task));
    // An abort ends the pause.
    await pause(LOOK_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    if (!this.#stopped.signal.aborted) return true;
    this.context.note(`Task ${task.id} goes on. Look again with: hermes tasks output ${task.id} --follow`);
    this.context.exit(this.#code);
    return false;
  }

  [Symbol.dispose](): void {
    this.#unlisten();
    this.#progress[Symbol.dispose]();
  }
}

/** `running 1m 04s · 3 tool calls · 1,204 tokens`, `queued (2nd) 12s` */
function progressOf(task: Task, now: number): string {
  const since = task.duration_seconds ?? Math.max(0, (now - Date.parse(task.created_at)) / 1000);
  const { tools_called: tools, tokens_used: tokens } = task;
  return [
    `${taskState(task)} ${elapsed(Math.floor(since))}`,
    ...(tools ? [`${counts.format(tools)} tool call${tools === 1 ? "" : "s"}`] : []),
    ...(tokens ? [`${counts.format(tokens)} token${tokens === 1 ? "" : "s"}`] : []),
  ].join(" · ");
}
