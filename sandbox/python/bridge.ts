/**
 * The user's Python: one process, which hosts all Python extensions of a home's process. It starts when the first of them
 * is called, and again after it has ended.
 */
import { setTimeout as delay } from "node:timers/promises";
import { growingPause } from "#core/backoff";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { HandlerReport } from "#core/ports/tier";
import { PythonFailure } from "./failure.ts";
import type { FoundPython } from "./interpreter.ts";
import { PythonProcess, type PythonEnd } from "./process.ts";
import { Restarts } from "./restarts.ts";
import type { PythonRequest, PythonText } from "./wire.ts";

export interface PythonBridgeOptions {
  /** Finds the interpreter: `findPython` of interpreter.ts. Called at each start. */
  readonly find: () => FoundPython;
  /** The environment of the process. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes what no extension has written, as far as anybody can tell. */
  readonly log: Log;
}

/** What the bridge tells an extension. */
export interface Attached {
  readonly report: HandlerReport;
  /** It has ended, or may have ended, its process. */
  readonly onCrash: () => void;
  /** Answers what it asks for. Rejects with a reason. */
  readonly onRequest?: ((method: string, args: readonly unknown[]) => Promise<unknown>) | undefined;
}

/** The first restart is immediate; a process must be back within a second. */
const FREE_RESTARTS = 1;
const PAUSES = { firstPause: 50, longestPause: 400 };

export class PythonBridge implements AsyncDisposable {
  readonly #options: PythonBridgeOptions;
  readonly #attached = new Map<number, Attached>();
  readonly #restarts = new Restarts();
  #numbers = 0;
  #process: PythonProcess | undefined;
  /** Also those that take no more calls. */
  readonly #processes = new Set<PythonProcess>();
  #starting: Promise<PythonProcess> | undefined;
  #closed = false;

  constructor(options: PythonBridgeOptions) {
    this.#options = options;
  }

  /** Gives an extension its number. */
  attach(extension: Attached): number {
    this.#numbers += 1;
    this.#attached.set(this.#numbers, extension);
    return this.#numbers;
  }

  detach(number: number): void {
    this.#attached.delete(number);
  }

  /** The process, when it takes calls. Rejects with a {@link PythonFailure}. */
  async process(): Promise<PythonProcess> {
    if (this.#process?.isOver === false) return this.#process;
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /** Replaces the process if another interpreter is to be used by now; its calls end in it. */
  refresh(): void {
    const found = this.#options.find();
    if (this.#process !== undefined && "path" in found && found.path !== this.#process.interpreter)
      this.#process.retire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#starting?.catch(() => undefined);
    await Promise.all([...this.#processes].map((process) => process.close()));
  }

  async #start(): Promise<PythonProcess> {
    const restarts = this.#restarts.count;
    if (restarts > FREE_RESTARTS) await delay(growingPause(restarts - FREE_RESTARTS - 1, PAUSES));
    if (this.#closed) throw new PythonFailure("died", "its hook was closed");
    const found = this.#options.find();
    if ("problem" in found) throw new PythonFailure("unavailable", found.problem);
    const process = this.#spawn(found.path);
    this.#processes.add(process);
    void process.ended.then((end) => {
      this.#processes.delete(process);
      this.#onEnd(end);
    });
    await process.ready;
    this.#process = process;
    return process;
  }

  #spawn(interpreter: string): PythonProcess {
    try {
      return new PythonProcess({
        interpreter,
        env: this.#options.env,
        onText: (text) => this.#write(text),
        onRequest: (request) => this.#answer(request),
      });
    } catch (error) {
      throw new PythonFailure("unavailable", `${interpreter} cannot be started: ${problemOf(error)}`);
    }
  }

  #onEnd({ culprit, last, isPlanned }: PythonEnd): void {
    if (isPlanned) return;
    this.#restarts.note();
    const suspect = culprit ?? last;
    if (suspect !== null) this.#attached.get(suspect)?.onCrash();
  }

  async #answer({ extension, method, args }: PythonRequest): Promise<unknown> {
    const onRequest = this.#attached.get(extension)?.onRequest;
    if (onRequest === undefined) throw new Error("the plugin is unloaded");
    return onRequest(method, args);
  }

  #write({ type, extension, level, text }: PythonText): void {
    const [only] = this.#attached.size === 1 ? this.#attached.values() : [];
    const owner = extension === null ? only : this.#attached.get(extension);
    if (owner === undefined) this.#options.log[level](`python: ${text}`);
    else if (type === "stray") owner.report.onStray(text);
    else owner.report.onOutput(level, text);
  }
}
