/** One thread with one handler: a piscina pool with this single thread, and a port to talk to it. */
import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import { withDeadline } from "#core/deadline";
import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { HermesError, problemOf } from "#core/errors";
import { Deadlines } from "#core/deadlines";
import type { GatewayHook, HandlerReport, HookVersion } from "#core/ports/tier";
import { engineLimitMb, type WatchedThread } from "./memory.ts";
import type { EventMessage, ThreadMessage, ThreadStart } from "./wire.ts";

const ENTRY = new URL(`./entry${extname(import.meta.filename)}`, import.meta.url).href;
/** How long to wait for a thread to end; a system call may block it longer. */
const STUCK_MS = 1000;

interface CurrentRun {
  readonly event: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: HermesError) => void;
}

export interface ThreadOptions {
  readonly hook: HookVersion;
  readonly report: HandlerReport;
  /** Called when a run has ended, before its result is delivered. */
  readonly onIdle: () => void;
}

export class HandlerThread implements WatchedThread {
  readonly worker: Worker;
  readonly memoryMb: number;
  /** Resolves when the thread has ended, or is stuck and was abandoned. */
  readonly gone: Promise<void>;
  /** When it last became idle, as of `performance.now()`. */
  idleSince = performance.now();
  readonly #options: ThreadOptions;
  readonly #pool: Piscina;
  readonly #port: MessagePort;
  readonly #isGone: () => void;
  readonly #deadlines: Deadlines<CurrentRun>;
  #current: CurrentRun | undefined;
  #isOver = false;

  constructor(options: ThreadOptions) {
    const { hook } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { port1, port2 } = new MessageChannel();
    this.#options = options;
    this.memoryMb = hook.memoryMb;
    this.gone = promise;
    this.#isGone = resolve;
    this.#deadlines = new Deadlines(hook.timeoutSeconds * 1000, () => this.#expire());
    this.#port = port1.on("message", (message: ThreadMessage) => this.#take(message));
    const cache = process.env["NODE_COMPILE_CACHE"] === undefined ? getCompileCacheDir() : undefined;
    this.#pool = createPool(hook, cache);
    const ownCache = cache !== undefined;
    const { folder, handler, sources = new Map() } = hook;
    const start: ThreadStart = { port: port2, folder, handler, sources, ownCache };
    this.#pool.run(start, { name: "serve", transferList: [port2] }).catch((error: unknown) => this.#died(error));
    const [worker] = this.#pool.threads;
    this.worker = worker!;
    // Piscina does not report a thread that ends before it takes its task.
    this.worker.once("exit", () => setImmediate(() => this.#died(new Error("it ended before it could start"))));
  }

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** True when it accepts no more events. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Runs the handler with one event at a time. Rejects as the tier port says. */
  run(event: string, context: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#current = { event, resolve, reject };
    this.#deadlines.add(this.#current);
    const message: EventMessage = [event, context];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
    this.#port.postMessage(message);
    return promise;
  }

  /** Ends the thread, whatever it is doing; resolves when it is gone. */
  end(problem = "its hook was closed"): Promise<void> {
    this.#end((event) => this.#fault("HERMES_HANDLER_DIED", event, problem));
    return this.gone;
  }

  onExceeded(usedMb: number): void {
    const problem = `it used ${Math.round(usedMb)} MB (memory_mb is ${this.memoryMb})`;
    if (this.#current === undefined) this.#options.report.onStray(`ended its thread between two events: ${problem}`);
    void this.end(problem);
  }

  #take(message: ThreadMessage): void {
    if (message === null || typeof message === "string") {
      return this.#settle()?.resolve(message === null ? null : JSON.parse(message));
    }
    const { report } = this.#options;
    switch (message.kind) {
      case "output":
        return report.onOutput(message.level, message.text);
      case "stray":
        return report.onStray(message.problem);
      case "failed": {
        const run = this.#settle();
        return run?.reject(this.#fault("HERMES_HANDLER_FAILED", run.event, message.problem));
      }
      case "unusable": {
        // A thread can load a module only once, so trying again needs another thread.
        const { name, handler: file } = this.#options.hook;
        return this.#end(() => new HermesError("HERMES_HANDLER_UNUSABLE", { name, file, problem: message.problem }));
      }
    }
  }

  /** Marks the run as ended. */
  #settle(): CurrentRun | undefined {
    const run = this.#current;
    if (run === undefined) return undefined;
    this.#deadlines.delete(run);
    this.#current = undefined;
    this.idleSince = performance.now();
    this.#options.onIdle();
    return run;
  }

  #expire(): void {
    // The host itself may have been busy; then the answer has arrived but is unread.
    this.#drain();
    if (this.#current === undefined) return;
    const { name, timeoutSeconds: seconds } = this.#options.hook;
    this.#end((event) => new HermesError("HERMES_HANDLER_TIMEOUT", { name, event, seconds }));
  }

  /** The thread ended by itself. */
  #died(error: unknown): void {
    if (this.#isOver) return;
    this.#drain();
    const problem = causeOf(error, this.memoryMb);
    if (this.#current === undefined) this.#options.report.onStray(`ended its thread between two events: ${problem}`);
    this.#end((event) => this.#fault("HERMES_HANDLER_DIED", event, problem));
  }

  #drain(): void {
    for (let found = receiveMessageOnPort(this.#port); found !== undefined; found = receiveMessageOnPort(this.#port)) {
      this.#take(found.message as ThreadMessage);
    }
  }

  #end(failure: (event: string) => HermesError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const run = this.#current;
    this.#current = undefined;
    this.#deadlines.clear();
    this.#drain();
    this.#port.close();
    void this.#terminate().then(() => {
      this.#isGone();
      run?.reject(failure(run.event));
    });
  }

  async #terminate(): Promise<void> {
    const ended = await withDeadline(STUCK_MS, () => this.#pool.destroy());
    if (ended.kind === "late")
      this.#options.report.onStray("is blocked in a system call; its thread ends when the call returns");
  }

  #fault(code: "HERMES_HANDLER_FAILED" | "HERMES_HANDLER_DIED", event: string, problem: string): HermesError {
    return new HermesError(code, { name: this.#options.hook.name, event, problem });
  }
}

/** Threads do not take over the compile cache of their process: `cache` is its folder, unless the environment has it. */
function createPool({ memoryMb }: GatewayHook, cache: string | undefined): Piscina {
  const pool = new Piscina({
    filename: ENTRY,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // Otherwise the thread, and with it the handler's own timers, sleeps between two messages.
    atomics: "disabled",
    // The flags of this process are not for handlers.
    execArgv: [],
    env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
    resourceLimits: { maxOldGenerationSizeMb: engineLimitMb(memoryMb) },
  });
  // A thread that dies without a task is reported by its exit.
  pool.on("error", () => undefined);
  return pool;
}

function causeOf(error: unknown, memoryMb: number): string {
  if ((error as { code?: unknown } | null)?.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return `it ran out of memory (memory_mb is ${memoryMb})`;
  }
  const code = /^worker exited with code: (\d+)$/.exec(problemOf(error))?.[1];
  return code === undefined ? problemOf(error) : `process.exit was called (${code})`;
}
