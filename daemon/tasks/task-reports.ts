/** Background tasks of a session that stays: it submits them, and gets a message when they end. */
import { HermesError, problemOf } from "#core/errors";
import type { Frame } from "#core/frames";
import type { Log } from "#core/home/log";
import type { InboxStore } from "#core/ports/inbox";
import type { OutputStore } from "#core/ports/outputs";
import type { Task, TaskStore } from "#core/ports/tasks";
import { createRareLog } from "#core/rare-log";
import { truncate } from "#core/truncate";
import { readOutput } from "./output.ts";

export interface TaskReportsOptions {
  /** The name of the session. */
  readonly name: string;
  readonly inbox: InboxStore;
  readonly tasks: Pick<TaskStore, "submit" | "get">;
  /** The folder of the tasks' output. */
  readonly folder: string;
  readonly outputs: Pick<OutputStore, "read">;
  readonly settings: () => { readonly enabled: boolean; readonly timeout: number };
  /** Settles tasks whose process is gone, and sees that a worker runs what is queued. */
  readonly keepRunning: () => Promise<void>;
  /** Called when a report was stored. */
  readonly onMessage: () => void;
  readonly log: Log;
}

/** How often it is looked whether a task has ended, while one is awaited. */
const LOOK_MS = 2000;
/** Every so many looks: whether its worker is still there. */
const LOOKS_PER_CHECK = 5;
const SHOWN_PROMPT = 200;
const LONGEST_ANSWER = 200_000;

export class TaskReports {
  readonly #options: TaskReportsOptions;
  readonly #rare: (sentence: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #looks = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: TaskReportsOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  /** Queues a task. Throws HERMES_BACKGROUND_OFF. */
  async submit({ prompt, cwd }: { prompt: string; cwd: string }): Promise<Task> {
    const { name, tasks, settings } = this.#options;
    const { enabled, timeout } = settings();
    if (!enabled) throw new HermesError("HERMES_BACKGROUND_OFF", {});
    const task = await tasks.submit({
      prompt,
      cwd,
      timeout,
      maxTurns: null,
      submittedOn: "daemon",
      idempotencyKey: null,
      runner: null,
      reportTo: name,
    });
    this.#looks = 0;
    void this.look();
    return task;
  }

  /** Looks for tasks that have ended. One look runs after another. */
  look(): Promise<void> {
    this.#last = this.#last.then(() => this.#look());
    return this.#last;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#last;
  }

  async #look(): Promise<void> {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    const { inbox, name, keepRunning } = this.#options;
    try {
      const awaited = await inbox.awaitedTasks(name);
      if (awaited.length === 0) return;
      if (this.#looks++ % LOOKS_PER_CHECK === 0) await keepRunning();
      for (const id of awaited) await this.#report(id);
    } catch (error) {
      this.#rare(`background tasks cannot be looked at: ${problemOf(error)}`);
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.look(), LOOK_MS);
  }

  /** A report that cannot be made now holds up no other. */
  async #report(id: string): Promise<void> {
    try {
      await this.#settle(id);
    } catch (error) {
      this.#options.log.error("the report of a background task cannot be stored", { id, problem: problemOf(error) });
    }
  }

  async #settle(id: string): Promise<void> {
    const { inbox, tasks, name, folder, outputs, onMessage } = this.#options;
    const task = await tasks.get(id);
    if (task?.status === "queued" || task?.status === "running") return;
    const lines = (await outputs.read(id))?.lines ?? readOutput(folder, id);
    const content = task === undefined ? gone(id) : describeEnd(task, answerIn(lines));
    const added = await inbox.report(id, { session: name, source: "background", label: id, content });
    if (added.kind === "stored") onMessage();
  }
}

function gone(id: string): string {
  return `The background task ${id} was deleted before its result was read.`;
}

function describeEnd({ id, status, prompt, error, duration_seconds: seconds }: Task, answer: string | null): string {
  const time = seconds === null ? "" : ` after ${seconds} s`;
  const head = `The background task ${id} ended${time}: ${status}${error === null ? "" : ` (${error})`}.`;
  const asked = `Its prompt was: ${truncate(prompt.replaceAll(/\s+/g, " "), SHOWN_PROMPT)}`;
  const body = answer === null ? "It gave no answer." : `Its answer:\n\n${truncate(answer, LONGEST_ANSWER)}`;
  return `${head}\n${asked}\n${body}`;
}

/** The last answer in the frames of a task. */
function answerIn(lines: readonly string[]): string | null {
  for (const line of lines.toReversed()) {
    const frame = JSON.parse(line) as Frame;
    if (frame.type === "assistant") return frame.content;
  }
  return null;
}
