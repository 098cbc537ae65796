/** Runs a task in this process: one turn like that of `chat -q`, whose frames are kept. */
import type { Command } from "#cli/command-line/command";
import { loadConfig, type Config } from "#core/home/config";
import { openDatabase } from "#core/home/database";
import type { HomePaths } from "#core/home/paths";
import { createRedactor } from "#core/home/redact";
import { EXIT, problemOf } from "#core/errors";
import type { Frame } from "#core/frames";
import type { DeliveryStore } from "#core/ports/deliveries";
import type { OutputWriter } from "#core/ports/outputs";
import type { ClaimedTask, TaskFigures, TaskResult, TaskStore } from "#core/ports/tasks";
import { reportEnd, type DeliveriesFor } from "#daemon/tasks/events";
import { TaskOutput } from "#daemon/tasks/output";
import { ChatRepl } from "../chat/chat-repl.ts";
import { runOnce } from "../chat/one-shot.ts";
import type { Renderer } from "../chat/renderers.ts";
import { watchHooks, type TurnDisplay } from "../chat/turn-display.ts";
import { createHost } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { secretsOf } from "../host-files.ts";
import type { Host } from "../host/host.ts";
import { LazyStorage } from "../storage.ts";
import { taskReports } from "./home.ts";
import { KeptAttempt } from "./kept-attempt.ts";

export interface TaskRun {
  readonly task: Pick<ClaimedTask, "id" | "prompt" | "attempt" | "maxTurns" | "timeout">;
  /** It says where the task is stored. */
  readonly config: Config;
  readonly command: Command;
  readonly context: CliContext;
  /** Shows the frames, too; absent where nobody is watching. */
  readonly rendererFor?: ((host: Host) => Renderer) | undefined;
  /** Shows tool calls and hooks on a terminal. */
  readonly display?: TurnDisplay | undefined;
  /** True when each line of output is JSON. */
  readonly structured: boolean;
  /** Called before the turn. */
  readonly onReady?: ((host: Host, store: TaskStore) => Promise<unknown>) | undefined;
  /** True when a stop by SIGTERM is the worker's, which queues the task again. */
  readonly isWorkers: boolean;
}

/** Runs the task, stores its end and sets the exit code. Throws what kept the turn from starting, when that is stored. */
export async function runTask(run: TaskRun): Promise<void> {
  const { task, command, context } = run;
  const paths = context.paths(command);
  const database = openDatabase(paths.state, context.warn);
  const waits = run.isWorkers ? context.note : undefined;
  await using storage = new LazyStorage({ database, config: run.config, env: context.env, home: paths.home, waits });
  const { tasks: store, deliveries, outputs } = await storage.get();
  const { id, attempt } = task;
  const upload = outputs.writer(id, attempt);
  const progress = new TaskProgress(new TaskOutput(paths.tasks, id), upload, context.warn);
  const interrupt = () => process.kill(process.pid, "SIGINT");
  using kept = new KeptAttempt({ store, id, attempt, interrupt, endsItself: !run.isWorkers });
  const finish = (code: number, deliveriesFor: DeliveriesFor, failure?: string) =>
    storeEnd(run, { store, kept, progress, code, deliveriesFor, failure });
  let timer: NodeJS.Timeout | undefined;
  try {
    const interactive = !run.isWorkers && process.stdin.isTTY && process.stderr.isTTY;
    const globals = context.globals(command);
    const { isWorkers } = run;
    const instructions = { flag: undefined, mayAsk: false, says: false };
    const about = { context, globals, paths, instructions };
    const options = { ...about, surface: "task", taskId: task.id, interactive, isWorkers, storage } as const;
    await using host = await createHost(options);
    if (!run.isWorkers) watchHooks(host, context, run.display);
    await run.onReady?.(host, store);
    if (task.timeout > 0) timer = setTimeout(() => progress.interruptLate(), task.timeout * 1000);
    const code = await converse(run, host, progress);
    run.display?.end();
    clearTimeout(timer);
    await finish(code, (event, payload) => host.webhooks.deliveriesFor(event, payload));
    await host.webhooks.wake();
  } catch (error) {
    await finish(EXIT.failed, await reportsWithoutHost(paths, context.env, deliveries), problemOf(error));
    throw error;
  } finally {
    clearTimeout(timer);
    await progress.close();
    database.close();
  }
}

/** The reports of the configuration; whoever delivers next sends them. */
async function reportsWithoutHost(
  paths: HomePaths,
  env: NodeJS.ProcessEnv,
  deliveries: DeliveryStore,
): Promise<DeliveriesFor> {
  try {
    const config = await loadConfig(paths, env);
    return taskReports(config, createRedactor(env, secretsOf(config.values)), deliveries);
  } catch {
    // The configuration is what is wrong: it names no endpoint that could be told.
    return () => [];
  }
}

/** Runs the turn; gives its exit code. */
async function converse(run: TaskRun, host: Host, progress: TaskProgress): Promise<number> {
  const { task, context } = run;
  const shown = run.rendererFor?.(host);
  const codes: number[] = [];
  await runOnce({
    message: task.prompt,
    host,
    conversation: new ChatRepl(host),
    // The exit code is set once the task's own is known.
    context: { ...context, exit: (code) => void codes.push(code) },
    renderer: {
      show(frame) {
        progress.take(frame);
        shown?.show(frame);
      },
      finish: () => shown?.finish(),
    },
    reasoning: { on: false },
    verbose: { on: false },
    structured: run.structured,
    maxIterations: task.maxTurns ?? undefined,
  });
  return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok;
}

interface End {
  readonly store: TaskStore;
  readonly kept: KeptAttempt;
  readonly progress: TaskProgress;
  readonly code: number;
  readonly deliveriesFor: DeliveriesFor;
  readonly failure: string | undefined;
}

async function storeEnd(run: TaskRun, end: End): Promise<void> {
  const { context } = run;
  await end.progress.close();
  const code = await end.kept.store(endOnce(run, end));
  if (code === undefined) {
    context.warn(
      "The database was away for too long: this attempt is given up, and the task may be run again elsewhere.",
    );
    return context.exit(EXIT.failed);
  }
  // An error has an exit code of its own, like that of `chat -q`.
  if (end.failure === undefined) context.exit(code);
}

/** Stores the end, unless the worker queues the task again; gives the exit code. It may be called more than once. */
function endOnce({ task, isWorkers }: TaskRun, end: End): () => Promise<number> {
  const { store, progress, code, deliveriesFor, failure } = end;
  const { id, attempt } = task;
  const figures = progress.takeFigures();
  return async () => {
    await store.record(id, attempt, figures);
    const running = (await store.running()).find((other) => other.id === id);
    if (code === EXIT.terminated && isWorkers && !progress.isLate && running?.cancelRequested !== true) return code;
    const result = resultOf(code, progress, failure, task.timeout);
    await store.end(id, attempt, result, reportEnd(deliveriesFor));
    return result.exit_code;
  };
}

function resultOf(code: number, progress: TaskProgress, failure: string | undefined, seconds: number): TaskResult {
  if (progress.isLate) {
    const error = `it did not end within ${seconds} s`;
    return { status: "timeout", exit_code: EXIT.timeout, ended_by: "timeout", error };
  }
  if (code >= EXIT.interrupted) {
    return { status: "cancelled", exit_code: EXIT.interrupted, ended_by: "user", error: null };
  }
  if (code === EXIT.ok) return { status: "succeeded", exit_code: code, ended_by: "task", error: null };
  const error =
    failure ?? progress.error ?? (code === EXIT.turnLimit ? "it reached its limit of model requests" : null);
  return { status: "failed", exit_code: code === EXIT.turnLimit ? code : EXIT.failed, ended_by: "task", error };
}

/** What a task has done so far, from its frames, which are written to its output. */
class TaskProgress {
  readonly #output: TaskOutput;
  /** For other homes. */
  readonly #upload: OutputWriter | undefined;
  readonly #warn: (sentence: string) => void;
  #isOpen = true;
  #session: string | null = null;
  #tokens = 0;
  #tools = 0;
  readonly #calls = new Map<string, number>();
  /** The message of the last error. */
  error: string | null = null;
  /** True once its time was up. */
  isLate = false;

  constructor(output: TaskOutput, upload: OutputWriter | undefined, warn: (sentence: string) => void) {
    this.#output = output;
    this.#upload = upload;
    this.#warn = warn;
  }

  /** What it has come to; the calls since the last time that this was asked. */
  takeFigures(): TaskFigures {
    const calls = Object.fromEntries(this.#calls);
    this.#calls.clear();
    return { session_id: this.#session, tokens_used: this.#tokens, tools_called: this.#tools, calls };
  }

  take(frame: Frame): void {
    if (frame.type === "session") this.#session ??= frame.session_id;
    else if (frame.type === "tool_use") this.#countCall(frame.tool);
    else if (frame.type === "cost") this.#tokens += frame.input_tokens + frame.output_tokens;
    else if (frame.type === "error") this.error = frame.message;
    if (!this.#isOpen) return;
    this.#upload?.add(JSON.stringify(frame));
    try {
      this.#output.add(frame);
    } catch (error) {
      // A full disk costs the output, not the task.
      this.#warn(`the task's output cannot be written: ${problemOf(error)}`);
    }
  }

  #countCall(tool: string): void {
    this.#tools++;
    this.#calls.set(tool, (this.#calls.get(tool) ?? 0) + 1);
  }

  interruptLate(): void {
    this.isLate = true;
    process.kill(process.pid, "SIGINT");
  }

  /** Never rejects: the end of the task is worth more than its output. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Who follows it elsewhere sees the end of the output before the end of the task.
    const uploaded = this.#upload?.close();
    try {
      this.#output.close();
    } catch (error) {
      this.#warn(`the task's output cannot be written: ${problemOf(error)}`);
    }
    await uploaded;
  }
}
