/**
 * The tier of worker threads: one thread per hook, so that a handler's module state is kept between events, in a process
 * of its own, so that it can always be stopped. A thread starts at its hook's first event. Their number is limited: when
 * all are in use, the one that has been idle longest is ended, and its hook gets a new thread at its next event.
 */
import { HermesError } from "#core/errors";
import type { GatewayHook, Handler, HandlerReport, HandlerTier, HookVersion } from "#core/ports/tier";
import { HandlerProcess } from "./handler-process.ts";

const MOST_THREADS = 16;

/** Creates the tier without starting a thread. `mostThreads` is the maximum number of live threads. */
export function createWorkerTier({ mostThreads = MOST_THREADS }: { readonly mostThreads?: number } = {}): HandlerTier {
  return new WorkerTier(mostThreads);
}

class WorkerTier implements HandlerTier {
  readonly source = "worker";
  readonly #mostThreads: number;
  readonly #threads = new Set<HandlerProcess>();
  /** Number of threads about to be started. */
  #places = 0;
  /** Hooks that wait for a thread, in order of arrival. */
  readonly #waiting: (() => void)[] = [];

  constructor(mostThreads: number) {
    this.#mostThreads = mostThreads;
  }

  open(hook: HookVersion, report: HandlerReport): Handler {
    const takePlace = (isClosed: () => boolean) => this.#takePlace(isClosed);
    return new WorkerHandler(hook, takePlace, (event) => this.#start(hook, report, event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  /** Resolves with true when a thread may start now, with false when `isClosed` says that none is needed. */
  async #takePlace(isClosed: () => boolean): Promise<boolean> {
    while (this.#threads.size + this.#places >= this.#mostThreads && !isClosed()) await this.#room();
    if (isClosed()) this.#wake();
    else this.#places++;
    return !isClosed();
  }

  /** Throws HERMES_HANDLER_DIED when the system cannot start a process. */
  #start(hook: HookVersion, report: HandlerReport, event: string): HandlerProcess {
    this.#places--;
    let thread: HandlerProcess;
    try {
      thread = new HandlerProcess({ hook, report, onIdle: () => this.#onIdle(thread) }, event);
    } catch (error) {
      this.#wake();
      throw error;
    }
    this.#threads.add(thread);
    void thread.gone.then(() => {
      this.#threads.delete(thread);
      this.#wake();
    });
    return thread;
  }

  /** Resolves when there may be room for another thread. */
  async #room(): Promise<void> {
    const idle = [...this.#threads].filter((thread) => !thread.isBusy && !thread.isOver);
    const longest = idle.toSorted((left, right) => left.idleSince - right.idleSince)[0];
    if (longest !== undefined) return longest.end();
    return new Promise((wake) => void this.#waiting.push(wake));
  }

  /** Gives up its thread immediately when others wait; otherwise its own next event would always come first. */
  #onIdle(thread: HandlerProcess): void {
    if (this.#waiting.length > 0) void thread.end();
  }

  #wake(): void {
    this.#waiting.shift()?.();
  }
}

class WorkerHandler implements Handler {
  readonly #hook: GatewayHook;
  readonly #takePlace: (isClosed: () => boolean) => Promise<boolean>;
  readonly #start: (event: string) => HandlerProcess;
  #thread: HandlerProcess | undefined;
  #closed = false;

  constructor(
    hook: GatewayHook,
    takePlace: (isClosed: () => boolean) => Promise<boolean>,
    start: (event: string) => HandlerProcess,
  ) {
    this.#hook = hook;
    this.#takePlace = takePlace;
    this.#start = start;
  }

  run(event_type: string, context: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.runText(event_type, JSON.stringify(context));
  }

  runText(event_type: string, context: string): Promise<unknown> {
    const thread = this.#thread;
    return thread === undefined || thread.isOver
      ? this.#runAfresh(event_type, context)
      : thread.run(event_type, context);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.end();
  }

  async #runAfresh(event: string, context: string): Promise<unknown> {
    if (!(await this.#takePlace(() => this.#closed))) {
      throw new HermesError("HERMES_HANDLER_DIED", { name: this.#hook.name, event, problem: "its hook was closed" });
    }
    const thread = this.#start(event);
    this.#thread = thread;
    // Immediately, because an idle thread may be ended.
    const answer = thread.run(event, context);
    if (this.#closed) void thread.end();
    return answer;
  }
}
