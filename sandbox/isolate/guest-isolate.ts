/** One hook's isolate, inside the process that hosts it. */
import ivm from "isolated-vm";
import type * as guestModule from "./guest.ts";
import { GUEST_LIMITS, RUN_LIMITS, SIZE_LIMITS } from "./limits.ts";
import { compileGraph, LoadError, startHandler, type Graph, type Source } from "./modules.ts";
import { describeRejection, explainDynamicImport, readDescription } from "./problem.ts";
import type { FromHost, GuestSettings } from "./wire.ts";
import type { OutputLevel } from "#core/ports/tier";

/** What an isolate needs from its process. */
export interface GuestIsolatePort {
  /** The source of guest.ts as JavaScript. */
  readonly guestCode: string;
  send(message: FromHost, body?: string): void;
  /** Called before code of the isolate runs, and when it has stopped. */
  onBusy(isolate: GuestIsolate): void;
  onIdle(isolate: GuestIsolate): void;
  /** The isolate has ended, by itself or by `end`. */
  onGone(isolate: GuestIsolate): void;
  /** V8 lost the isolate and may never release its thread, so the process must exit. */
  onCatastrophe(isolate: GuestIsolate, problem: string): void;
}

export interface CellOptions {
  readonly guest: number;
  readonly settings: GuestSettings;
  /** The time left to the deadline of the run that loads it. */
  readonly remainingMs: number;
  readonly port: GuestIsolatePort;
}

/** Functions of guest.ts that the process calls. */
interface Entrances {
  readonly run: ivm.Reference;
  readonly reply: ivm.Reference;
  readonly fireTimer: ivm.Reference;
}

type Primitive = string | number | boolean;

/** Node fires longer timers immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LEVELS: ReadonlySet<string> = new Set<OutputLevel>(["debug", "info", "warn", "error"]);

export class GuestIsolate {
  readonly guest: number;
  readonly #port: GuestIsolatePort;
  readonly #settings: GuestSettings;
  readonly #isolate: ivm.Isolate;
  #entrances: Entrances | undefined;
  #graph: Graph | undefined;
  #state: "loading" | "ready" | "gone" = "loading";
  /** What is running in the isolate now, or is waiting to. */
  readonly #entries = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #imports = new Map<number, PromiseWithResolvers<Source>>();
  #importNumber = 0;
  /** The run whose answer is pending. */
  #run: number | undefined;
  /** Starts the run that waits until the isolate is idle. */
  #next: (() => void) | undefined;
  /** The deadline of the last run, as of `performance.now()`. */
  #until: number;
  #deadline: NodeJS.Timeout;
  #cpuAtStart = 0n;

  constructor({ guest, settings, remainingMs, port }: CellOptions) {
    this.guest = guest;
    this.#port = port;
    this.#settings = settings;
    this.#isolate = new ivm.Isolate({
      memoryLimit: settings.memoryMb,
      onCatastrophicError: () => port.onCatastrophe(this, this.#memoryProblem()),
    });
    this.#until = performance.now() + remainingMs;
    this.#deadline = setTimeout(() => this.#expire(), remainingMs);
  }

  /** Loads the handler; `loaded` or `unusable` is sent, unless its module waits at top level. Never rejects. */
  async load(entry: Source): Promise<void> {
    await this.#enter(async () => {
      const context = await this.#isolate.createContext();
      const guest = await this.#isolate.compileModule(this.#port.guestCode, { filename: "hermes:guest" });
      await guest.instantiate(context, refuse);
      await guest.evaluate();
      const entrance = (name: keyof typeof guestModule) => guest.namespace.get(name, { reference: true });
      const boot = await entrance("boot");
      this.#entrances = {
        run: await entrance("run"),
        reply: await entrance("reply"),
        fireTimer: await entrance("fireTimer"),
      };
      const settings = JSON.stringify({ limits: GUEST_LIMITS, ...this.#settings });
      // Inside, a callback becomes a plain function: the guest gets no reference to anything outside.
      const post = new ivm.Callback((...words: unknown[]) => this.#onPost(words), { ignored: true });
      const first = [post, settings, this.#until];
      await boot.apply(undefined, first);
      const graph = await compileGraph(this.#isolate, entry, (specifier, from) => this.#import(specifier, from));
      this.#graph = graph;
      await startHandler({ isolate: this.#isolate, context, guest, graph });
    });
  }

  /** Answers an import of this isolate. */
  onModule(request: number, source: Source | Error): void {
    const waiting = this.#imports.get(request);
    this.#imports.delete(request);
    if (source instanceof Error) waiting?.reject(source);
    else waiting?.resolve(source);
  }

  run(run: number, event: string, context: string, remainingMs: number): void {
    if (this.#state !== "ready") return;
    // The run before left code behind that still runs: its own limits end it, not this run's.
    if (this.#entries.size > 0) {
      const until = performance.now() + remainingMs;
      this.#next = () => this.run(run, event, context, until - performance.now());
      return;
    }
    this.#next = undefined;
    this.#run = run;
    this.#cpuAtStart = this.#cpuTime();
    this.#until = performance.now() + remainingMs;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#expire(), remainingMs);
    this.#port.send({ type: "begun", guest: this.guest, run });
    this.#call("run", run, event, context, this.#until);
  }

  reply(call: number, ok: boolean, body: string): void {
    this.#call("reply", call, ok, body, performance.now());
  }

  /** Ends the isolate, whatever it is doing; `ended` is sent when it has stopped. */
  async end(): Promise<void> {
    this.#dispose();
    await Promise.all(this.#entries);
    this.#port.send({ type: "ended", guest: this.guest });
  }

  /** Must be called regularly while the isolate is busy: ends it when it has used too much CPU time. */
  checkCpu(): void {
    if (this.#state === "gone") return;
    const usedMs = Number(this.#cpuTime() - this.#cpuAtStart) / 1e6;
    if (usedMs < RUN_LIMITS.cpuMs) return;
    this.#lose(`it used more than ${RUN_LIMITS.cpuMs / 1000} s of CPU time in one run`);
  }

  /** For the memory limit of the whole process. */
  get memoryMb(): number {
    return this.#settings.memoryMb;
  }

  #cpuTime(): bigint {
    try {
      return this.#isolate.cpuTime;
    } catch {
      // It has just hit its memory limit; that is reported in a moment.
      return 0n;
    }
  }

  #call(entrance: keyof Entrances, ...args: Primitive[]): void {
    const reference = this.#entrances?.[entrance];
    if (this.#state === "gone" || reference === undefined) return;
    void this.#enter(() => reference.apply(undefined, args));
  }

  /** Runs a function in the isolate, which is busy until its microtasks are done. Never rejects. */
  #enter(work: () => Promise<unknown>): Promise<void> {
    if (this.#entries.size === 0) this.#port.onBusy(this);
    const entry = this.#settled(work).finally(() => {
      this.#entries.delete(entry);
      if (this.#entries.size === 0) this.#onIdle();
    });
    this.#entries.add(entry);
    return entry;
  }

  #onIdle(): void {
    this.#port.onIdle(this);
    this.#next?.();
  }

  async #settled(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onRejection(error);
    }
  }

  /** An entry rejects with an error that the handler did not catch, or because the isolate is gone. */
  #onRejection(error: unknown): void {
    if (this.#state === "gone") return;
    if (this.#isolate.isDisposed) return this.#lose(this.#memoryProblem());
    if (this.#state === "ready") return this.#stray("left an unhandled rejection", this.#describe(error));
    const { file, tainted } = error instanceof LoadError ? error : { file: "", tainted: false };
    this.#unusable(error instanceof LoadError ? error.message : this.#describe(error), file, tainted);
  }

  #unusable(problem: string, file = "", tainted = false): void {
    this.#dispose();
    this.#port.send({ type: "unusable", guest: this.guest, file, tainted }, problem);
  }

  /** The isolate cannot or must not continue. */
  #lose(problem: string): void {
    this.#dispose();
    this.#port.send({ type: "lost", guest: this.guest }, problem);
  }

  #dispose(): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    clearTimeout(this.#deadline);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { reject } of this.#imports.values()) reject(new Error("it was ended"));
    // An isolate that hit its memory limit has disposed itself.
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
    this.#port.onGone(this);
  }

  /**
   * Enforces the deadline of the last run. While its answer is pending, the program does that. Timers and calls that it
   * left behind notice the deadline themselves; running code cannot.
   */
  #expire(): void {
    if (this.#state !== "ready" || this.#run !== undefined || this.#entries.size === 0) return;
    this.#lose("it was still running at its deadline, after it had answered");
  }

  /** A message from the guest. It may be anything: only well-formed messages are passed on. */
  #onPost([kind, number, text, more]: unknown[]): void {
    if (this.#state === "gone" || typeof number !== "number" || typeof text !== "string") return;
    const { guest } = this;
    if (kind === "loaded") this.#onLoaded(text);
    else if (kind === "timer") this.#startTimer(number, Number(text), Number(more));
    else if (kind === "stray") this.#stray("threw outside its calls", this.#explain(readDescription(text)));
    else if (kind === "call" && typeof more === "string") {
      if (Buffer.byteLength(more) > SIZE_LIMITS.callBytes) return this.reply(number, false, "the call is too large");
      this.#port.send({ type: "call", guest, call: number, method: text.slice(0, 20) }, more);
    } else if (kind === "output" && typeof more === "string" && LEVELS.has(more)) {
      const kept = text.slice(0, SIZE_LIMITS.outputText + 1);
      this.#port.send({ type: "output", guest, level: more as OutputLevel }, kept);
    } else if ((kind === "answer" || kind === "failed") && number === this.#run) {
      this.#run = undefined;
      const tooLong = kind === "answer" && text.length > SIZE_LIMITS.answer;
      if (kind === "answer" && !tooLong) return this.#port.send({ type: kind, guest, run: number }, text);
      const problem = tooLong ? `its answer has ${text.length} characters` : this.#explain(readDescription(text));
      this.#port.send({ type: "failed", guest, run: number }, problem);
    }
  }

  #stray(what: string, problem: string): void {
    this.#port.send({ type: "stray", guest: this.guest }, `${what}: ${problem}`);
  }

  #onLoaded(kindOfHandle: string): void {
    if (this.#state !== "loading") return;
    if (kindOfHandle !== "function") return this.#unusable('it does not export a function "handle"');
    this.#state = "ready";
    this.#port.send({ type: "loaded", guest: this.guest });
  }

  /** A timer after its run's deadline fires at the deadline, and its callback is not called. */
  #startTimer(number: number, ms: number, until: number): void {
    const fire = () => {
      this.#timers.delete(timer);
      this.#call("fireTimer", number, performance.now());
    };
    if (this.#timers.size >= RUN_LIMITS.timersAtOnce) return;
    const timer = setTimeout(fire, Math.min(ms, Math.max(0, until - performance.now()) + 1, LONGEST_TIMER_MS));
    this.#timers.add(timer);
  }

  #import(specifier: string, from: string): Promise<Source> {
    const request = ++this.#importNumber;
    const waiting = Promise.withResolvers<Source>();
    this.#imports.set(request, waiting);
    this.#port.send({ type: "import", guest: this.guest, request, specifier: specifier.slice(0, 500), from });
    return waiting.promise;
  }

  #describe(error: unknown): string {
    return this.#explain(describeRejection(error));
  }

  #explain(problem: string): string {
    return explainDynamicImport(problem, this.#graph?.dynamicImports ?? []);
  }

  #memoryProblem(): string {
    return `it ran out of memory (memory_mb is ${this.#settings.memoryMb})`;
  }
}

function refuse(): never {
  throw new Error("the guest imports nothing");
}
