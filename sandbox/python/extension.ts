/** A folder of Python code in the bridge: loaded again in each new process, with the time limits of its calls. */
import type { KeptSources } from "#core/extensions/sources";
import { withDeadline } from "#core/deadline";
import { Deadlines } from "#core/deadlines";
import { LOAD_MS, type HandlerReport } from "#core/ports/tier";
import type { PythonBridge } from "./bridge.ts";
import { PythonFailure } from "./failure.ts";
import type { PythonProcess } from "./process.ts";
import { filterPythonFiles } from "./sources.ts";
import { Restarts, TOO_MANY_RESTARTS } from "./restarts.ts";
import type { AboutPlugin, CallMessage, LoadMessage, RunMessage } from "./wire.ts";

export interface PythonExtensionOptions {
  readonly name: string;
  readonly folder: string;
  /** The file in the folder to begin with. */
  readonly entry: string;
  /** The files of its version; it reads the disk without. */
  readonly sources: KeptSources | undefined;
  readonly timeoutSeconds: number;
  /** Set for a plugin. */
  readonly plugin?: AboutPlugin;
  readonly report: HandlerReport;
  /** Answers what a plugin asks for. Rejects with a reason. */
  readonly onRequest?: (method: string, args: readonly unknown[]) => Promise<unknown>;
}

/** How long a coroutine may take to end after it was cancelled. */
const CANCEL_MS = 200;
/** A call whose process ended before it ran is made again in the next one. */
const MOST_ATTEMPTS = 3;

interface RunningCall {
  readonly process: PythonProcess;
  readonly id: number;
  readonly answer: Promise<unknown>;
  isLate: boolean;
}

export class PythonExtension {
  readonly #bridge: PythonBridge;
  readonly #options: PythonExtensionOptions;
  readonly #number: number;
  readonly #running = new Set<RunningCall>();
  readonly #deadlines: Deadlines<RunningCall>;
  readonly #restarts = new Restarts();
  #loadedIn: PythonProcess | undefined;
  #loaded: unknown;
  #loading: Promise<PythonProcess> | undefined;
  #isOff = false;
  #closed = false;

  constructor(bridge: PythonBridge, options: PythonExtensionOptions) {
    this.#bridge = bridge;
    this.#options = options;
    const { report, onRequest } = options;
    this.#number = bridge.attach({ report, onCrash: () => this.#onCrash(), onRequest });
    this.#deadlines = new Deadlines(options.timeoutSeconds * 1000, (call) => this.#expire(call));
  }

  /** Loads the code, if it is not; the value is that of its first load. Rejects with a {@link PythonFailure}. */
  async load(): Promise<unknown> {
    await this.#load();
    return this.#loaded;
  }

  /** Calls the handler; `context` is JSON. Rejects with a {@link PythonFailure}. */
  run(event: string, context: string): Promise<unknown> {
    return this.#attempt((process) => {
      return this.#call(process, (id) => this.#runMessage(id, event, context), this.#options.timeoutSeconds);
    });
  }

  /**
   * Calls a function of a plugin; it may take any time with null `seconds`, and ends when `signal` aborts. Rejects with a
   * {@link PythonFailure}, or with what makes the message no JSON.
   */
  call(
    message: Omit<CallMessage, "op" | "id" | "extension">,
    seconds: number | null,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const text = JSON.stringify({ extension: this.#number, ...message });
    return this.#attempt((process) => {
      return this.#call(process, (id) => `{"op":"call","id":${id},${text.slice(1)}`, seconds, signal);
    });
  }

  async #attempt(call: (process: PythonProcess) => Promise<unknown>): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call(this.#loadedIn?.isOver === false ? this.#loadedIn : await this.#load());
      } catch (error) {
        const isLost = error instanceof PythonFailure && error.kind === "lost";
        if (!isLost || attempt === MOST_ATTEMPTS || this.#closed) throw error;
      }
    }
  }

  /** Ends what runs; the modules are dropped. */
  async close(): Promise<void> {
    this.#closed = true;
    const process = this.#loadedIn;
    await Promise.all([...this.#running].map((call) => this.#stop(call, "its hook was closed while it ran")));
    process?.send({ op: "close", extension: this.#number });
    this.#bridge.detach(this.#number);
  }

  #load(): Promise<PythonProcess> {
    this.#loading ??= this.#loadAgain().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #loadAgain(): Promise<PythonProcess> {
    if (this.#isOff) throw new PythonFailure("off", TOO_MANY_RESTARTS);
    this.#options.report.onLoading?.();
    const process = await this.#bridge.process();
    if (this.#closed) throw new PythonFailure("died", "its hook was closed");
    const value = await this.#call(process, (id) => this.#loadMessage(id), LOAD_MS / 1000);
    this.#loaded ??= value;
    this.#loadedIn = process;
    this.#options.report.onLoaded?.();
    return process;
  }

  async #call(
    process: PythonProcess,
    write: (id: number) => string,
    seconds: number | null,
    signal?: AbortSignal,
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const onBegun = () => {
      if (seconds === this.#options.timeoutSeconds) this.#deadlines.add(running);
      else if (seconds !== null) timer = setTimeout(() => this.#expire(running), seconds * 1000);
    };
    const { id, answer } = process.call(write, { extension: this.#number, onBegun });
    const running: RunningCall = { process, id, answer, isLate: false };
    this.#running.add(running);
    try {
      const value = await (signal === undefined ? answer : this.#untilAborted(running, signal));
      if (running.isLate) throw this.#timeout(seconds ?? 0);
      return value;
    } catch (error) {
      throw running.isLate ? this.#timeout(seconds ?? 0) : error;
    } finally {
      this.#running.delete(running);
      this.#deadlines.delete(running);
      clearTimeout(timer);
    }
  }

  /** Cancels a coroutine when the signal aborts. A function goes on, as its process has others to run; nobody waits for it. */
  async #untilAborted({ process, id, answer }: RunningCall, signal: AbortSignal): Promise<unknown> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => {
      process.send({ op: "cancel", id, extension: this.#number });
      reject(new PythonFailure("raised", "it was cancelled"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([answer, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** If the program itself was busy, an answer that had arrived is read first. */
  #expire(call: RunningCall): void {
    setImmediate(() => {
      if (!this.#running.has(call)) return;
      call.isLate = true;
      void this.#stop(call, "it did not finish in time");
    });
  }

  /** Cancels a coroutine; whatever else runs can only be ended with the process. Resolves when it has ended. */
  async #stop(call: RunningCall, problem: string): Promise<void> {
    const { process, id } = call;
    process.send({ op: "cancel", id, extension: this.#number });
    const ended = await withDeadline(CANCEL_MS, () => call.answer);
    if (ended.kind === "late") await process.kill(problem, this.#number);
  }

  #onCrash(): void {
    this.#restarts.note();
    if (!this.#restarts.areTooMany || this.#isOff) return;
    this.#isOff = true;
    const { onOff, onStray } = this.#options.report;
    if (onOff === undefined) onStray(`is off: ${TOO_MANY_RESTARTS}`);
    else onOff(TOO_MANY_RESTARTS);
  }

  #timeout(seconds: number): PythonFailure {
    return new PythonFailure("timeout", `it did not finish within ${seconds} s`, seconds);
  }

  #runMessage(id: number, event: string, context: string): string {
    const head: RunMessage = { op: "run", id, extension: this.#number, event };
    return `${JSON.stringify(head).slice(0, -1)},"context":${context}}`;
  }

  #loadMessage(id: number): string {
    const { name, folder, entry, sources } = this.#options;
    const files = filterPythonFiles(folder, sources);
    const { plugin = null } = this.#options;
    const message: LoadMessage = {
      op: "load",
      id,
      extension: this.#number,
      name,
      folder,
      entry,
      sources: files,
      plugin,
    };
    return JSON.stringify(message);
  }
}
