/** Controls one hook's isolate in a process that hosts isolates. */
import type { BinaryFrame } from "#core/binary-frames";
import { problemOf } from "#core/errors";
import type { HandlerReport, HookVersion, OutputLevel } from "#core/ports/tier";
import type { Capabilities } from "./capabilities.ts";
import type { Guest, HostEnd, IsolateHost } from "./host.ts";
import { HOST_LIMITS, RUN_LIMITS } from "./limits.ts";
import { ModuleSources } from "./sources.ts";
import type { FromHost } from "./wire.ts";

/** Why a handler gave no answer. */
export class IsolateClientError extends Error {
  /** `unusable`: it cannot be loaded. `failed`: it threw. `gone`: its isolate is gone. */
  readonly kind: "unusable" | "failed" | "gone";
  /** The module that caused it, relative to the folder; empty if none did. */
  readonly file: string;
  /** True when the handler was called and may have had effects. */
  readonly begun: boolean;

  constructor(kind: IsolateClientError["kind"], problem: string, { file = "", begun = false } = {}) {
    super(problem);
    this.kind = kind;
    this.file = file;
    this.begun = begun;
  }
}

export interface SeatOptions {
  readonly host: IsolateHost;
  readonly hook: HookVersion;
  readonly capabilities: Capabilities;
  readonly report: HandlerReport;
  /** Called once when the isolate is gone, with whether it may have ended its process. */
  readonly onGone: (suspect: boolean) => void;
}

export class IsolateClient implements Guest {
  readonly host: IsolateHost;
  readonly #options: SeatOptions;
  readonly #number: number;
  readonly #sources: ModuleSources;
  readonly #gone = new AbortController();
  /** The pending load or run. */
  #task: PromiseWithResolvers<string> | undefined;
  #ending: PromiseWithResolvers<void> | undefined;
  /** Whether it was sent to the process. */
  #told = false;
  #loaded = false;
  #run = 0;
  #begun = false;
  #lines = 0;
  #strays = 0;

  constructor(options: SeatOptions) {
    this.#options = options;
    this.host = options.host;
    this.#number = options.host.enter(this);
    this.#sources = new ModuleSources(options.hook);
  }

  get isLoaded(): boolean {
    return this.#loaded;
  }

  /** True while the handler itself is running. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  /** Creates the isolate and loads the handler. Rejects with a {@link IsolateClientError}. */
  async load(remainingMs: number): Promise<void> {
    if (this.#gone.signal.aborted) throw new IsolateClientError("gone", "it was closed", { begun: true });
    this.#begin(remainingMs);
    const task = Promise.withResolvers<string>();
    this.#task = task;
    // It may be rejected while the source is read; it is awaited below.
    task.promise.catch(() => undefined);
    try {
      const { file, text } = await this.#sources.entry();
      const settings = this.#options.capabilities.settings(this.#options.hook.memoryMb);
      if (!this.#gone.signal.aborted) {
        this.#told = true;
        this.host.send({ type: "load", guest: this.#number, file, settings, remainingMs }, text);
      }
    } catch (error) {
      this.#leave(false);
      task.reject(new IsolateClientError("unusable", problemOf(error)));
    }
    await task.promise;
    this.#loaded = true;
  }

  /** Calls the handler and returns its answer's JSON. Rejects with a {@link IsolateClientError}. */
  run(event: string, context: string, remainingMs: number): Promise<string> {
    this.#begin(remainingMs);
    this.#run += 1;
    this.#task = Promise.withResolvers<string>();
    this.host.send({ type: "run", guest: this.#number, run: this.#run, event, remainingMs }, context);
    return this.#task.promise;
  }

  /** Ends the isolate, or the whole process if that takes too long. A pending load or run rejects with `reason`. */
  async end(reason: Error): Promise<void> {
    if (this.#gone.signal.aborted) return;
    this.#ending ??= this.#dispose();
    await this.#ending.promise;
    this.#leave(false);
    this.#task?.reject(reason);
  }

  #dispose(): PromiseWithResolvers<void> {
    const ending = Promise.withResolvers<void>();
    if (!this.#told) ending.resolve();
    this.host.send({ type: "end", guest: this.#number });
    const culprit = this.#begun || !this.#loaded ? this.#number : null;
    const kill = () => void this.host.kill("it could not be stopped and its process was killed", culprit);
    const timer = setTimeout(kill, HOST_LIMITS.endMs);
    void ending.promise.then(() => clearTimeout(timer));
    return ending;
  }

  onHostEnd({ problem, culprit }: HostEnd): void {
    const busy = this.#task !== undefined;
    const guilty = culprit === this.#number;
    this.#leave(guilty || (culprit === null && busy));
    if (this.#ending !== undefined) return this.#ending.resolve();
    if (guilty || (busy && culprit === null)) return this.#lost(problem);
    if (busy) this.#lost("another hook ended the process that it shares");
  }

  onFrame({ message, body }: BinaryFrame<FromHost>): void {
    if (message.type === "ended") return this.#ending?.resolve();
    // It is being ended, so its messages are ignored.
    if (this.#ending !== undefined || this.#gone.signal.aborted) return;
    switch (message.type) {
      case "import":
        return void this.#import(message.request, message.specifier, message.from);
      case "call":
        return void this.#call(message.call, message.method, body);
      case "begun":
        this.#begun = message.run === this.#run;
        return;
      case "loaded":
        return this.#settle((task) => task.resolve(""));
      case "answer":
        if (message.run === this.#run) this.#settle((task) => task.resolve(body));
        return;
      case "failed":
        if (message.run === this.#run) this.#settle((task) => task.reject(new IsolateClientError("failed", body)));
        return;
      case "output":
        return this.#output(message.level, body);
      case "stray":
        if (this.#strays++ < RUN_LIMITS.strays) this.#options.report.onStray(body);
        return;
      case "unusable":
        if (message.tainted) this.host.taint();
        this.#leave(false);
        return this.#settle((task) => task.reject(new IsolateClientError("unusable", body, { file: message.file })));
      case "lost":
        this.#leave(false);
        // The handler was not called: what an earlier run left behind has cost the isolate.
        if (this.#loaded && !this.#begun) this.#options.report.onStray(`lost its isolate: ${body}`);
        return this.#lost(body);
      case "ready":
      case "fatal":
    }
  }

  #begin(remainingMs: number): void {
    this.#begun = false;
    this.#lines = this.#strays = 0;
    this.#options.capabilities.begin(remainingMs);
  }

  #settle(settle: (task: PromiseWithResolvers<string>) => void): void {
    const task = this.#task;
    this.#task = undefined;
    this.#begun = false;
    if (task !== undefined) settle(task);
  }

  #lost(problem: string): void {
    if (this.#task === undefined) return;
    const error = new IsolateClientError("gone", problem, { begun: this.#begun });
    this.#settle((task) => task.reject(error));
  }

  #leave(suspect: boolean): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.host.leave(this.#number);
    this.#options.onGone(suspect);
  }

  async #import(request: number, specifier: string, from: string): Promise<void> {
    const guest = this.#number;
    try {
      const { file, text } = await this.#sources.imported(specifier, from);
      this.host.send({ type: "module", guest, request, file }, text);
    } catch (error) {
      this.host.send({ type: "no_module", guest, request }, problemOf(error));
    }
  }

  async #call(call: number, method: string, args: string): Promise<void> {
    const { ok, body } = await this.#options.capabilities.call(method, args, this.#gone.signal);
    if (!this.#gone.signal.aborted) this.host.send({ type: "reply", guest: this.#number, call, ok }, body);
  }

  #output(level: OutputLevel, text: string): void {
    const { onOutput } = this.#options.report;
    for (const line of text.split("\n")) {
      this.#lines += 1;
      if (this.#lines <= RUN_LIMITS.outputLines) onOutput(level, line);
      else if (this.#lines === RUN_LIMITS.outputLines + 1) {
        onOutput("warn", `more than ${RUN_LIMITS.outputLines} lines of output in one run; the rest is dropped`);
      }
    }
  }
}
