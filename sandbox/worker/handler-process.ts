/**
 * One handler in a thread of a process of its own, from the side of the program. A handler that cannot be stopped (in
 * native code, in a call of the system) or that aborts its process takes nothing else along.
 */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { type BinaryFrame, encodeFrame, FrameReader } from "#core/binary-frames";
import { withDeadline } from "#core/deadline";
import { Deadlines } from "#core/deadlines";
import { HermesError, problemOf } from "#core/errors";
import { LOAD_MS, type HandlerReport, type HookVersion } from "#core/ports/tier";
import { describeExit, exitOf } from "#sandbox/process/companion";
import { watchOutput } from "#sandbox/process/lines";
import { startHandlerProcess } from "./start.ts";
import { CONTROL_DESCRIPTOR, THREAD_DESCRIPTOR, type ProcessMessage, type ThreadMessage } from "./wire.ts";

/** How long a killed process may take to end before that is reported and nothing waits for it any more. */
const STUCK_MS = 2000;
/** How long it may take to start; generous, for a machine under load. */
const START_MS = 20_000;
/** How long its connections may stay open after its end. */
const DRAIN_MS = 500;
/** The largest context; the queue keeps fewer events that are larger than a few megabytes. */
const MOST_CONTEXT_BYTES = 512 * 1024 * 1024;

interface CurrentRun {
  readonly event: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: HermesError) => void;
}

export interface HandlerProcessOptions {
  readonly hook: HookVersion;
  readonly report: HandlerReport;
  /** Called when a run has ended, before its result is delivered. */
  readonly onIdle: () => void;
}

export class HandlerProcess {
  /** Resolves when the process has ended, or is stuck and was abandoned. */
  readonly gone: Promise<void>;
  /** When it last became idle, as of `performance.now()`. */
  idleSince = performance.now();
  readonly #options: HandlerProcessOptions;
  readonly #child: ChildProcess;
  readonly #thread: Socket | undefined;
  readonly #isGone: () => void;
  /** Resolves when the process has exited and everything it sent was read. */
  readonly #ended: Promise<void>;
  readonly #deadlines: Deadlines<CurrentRun>;
  /** Ends it when its process, then its thread and module, take too long to start. */
  #startTimer: NodeJS.Timeout | undefined;
  #isLoaded = false;
  #current: CurrentRun | undefined;
  #isOver = false;
  /** Why it ends by itself. */
  #reason: string | undefined;

  /** Throws HERMES_HANDLER_DIED when the system cannot start a process. */
  constructor(options: HandlerProcessOptions, event: string) {
    const { hook } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#options = options;
    this.gone = promise;
    this.#isGone = resolve;
    this.#deadlines = new Deadlines(hook.timeoutSeconds * 1000, () => setImmediate(() => this.#expire()));
    try {
      this.#child = startHandlerProcess(hook);
    } catch (error) {
      throw this.#fault("HERMES_HANDLER_DIED", event, `its process cannot be started: ${problemOf(error)}`);
    }
    this.#thread = pipeOf(this.#child, THREAD_DESCRIPTOR);
    this.#startTimer = setTimeout(
      () => void this.end(`its process did not start within ${START_MS / 1000} s`),
      START_MS,
    );
    this.#ended = this.#watch();
    options.report.onLoading?.();
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
    let frame: Buffer;
    try {
      frame = encodeFrame(event, context, MOST_CONTEXT_BYTES);
    } catch (error) {
      reject(this.#fault("HERMES_HANDLER_FAILED", event, `its event: ${problemOf(error)}`));
      return promise;
    }
    this.#current = { event, resolve, reject };
    // Starting the process and loading the module are not part of the handler's deadline.
    if (this.#isLoaded) this.#deadlines.add(this.#current);
    if (this.#thread?.writable === true) this.#thread.write(frame);
    return promise;
  }

  /** Kills the process, whatever it is doing; resolves when it is gone. */
  end(problem = "its hook was closed"): Promise<void> {
    this.#end((event) => this.#fault("HERMES_HANDLER_DIED", event, problem));
    return this.gone;
  }

  async #watch(): Promise<void> {
    const control = pipeOf(this.#child, CONTROL_DESCRIPTOR);
    // What bypasses the thread's own streams.
    const stderr = watchOutput(this.#child, this.#options.report.onOutput);
    const closed = [
      this.#read<ProcessMessage>(control, ({ message }) => this.#onProcess(message)),
      this.#read<ThreadMessage>(this.#thread, (frame) => this.#onThread(frame)),
    ];
    const [code, signal] = await exitOf(this.#child);
    await withDeadline(DRAIN_MS, () => Promise.all(closed));
    // What the handler started may hold them open.
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#died(this.#reason ?? describeExit(code, signal, stderr()));
  }

  /** Resolves when the connection is closed. */
  #read<Message>(socket: Socket | undefined, take: (frame: BinaryFrame<Message>) => void): Promise<void> {
    if (socket === undefined) return Promise.resolve();
    const reader = new FrameReader<Message>();
    socket.on("data", (piece: Buffer) => {
      try {
        for (const frame of reader.read(piece)) take(frame);
      } catch (error) {
        // The handler wrote to the descriptor of its connection.
        socket.removeAllListeners("data").resume();
        void this.end(`its process broke the protocol: ${problemOf(error)}`);
      }
    });
    // The process ended during a write; its end is reported by its exit.
    socket.on("error", () => undefined);
    return new Promise((resolve) => void socket.once("close", () => resolve()));
  }

  #onProcess(message: ProcessMessage): void {
    if (message.type === "ends") {
      this.#reason = message.problem;
      return;
    }
    clearTimeout(this.#startTimer);
    this.#startTimer = setTimeout(() => this.#endLate(LOAD_MS / 1000), LOAD_MS);
  }

  #onLoaded(): void {
    clearTimeout(this.#startTimer);
    this.#isLoaded = true;
    this.#options.report.onLoaded?.();
    if (this.#current !== undefined) this.#deadlines.add(this.#current);
  }

  #endUnusable(problem: string): void {
    const { name, handler: file } = this.#options.hook;
    this.#end(() => new HermesError("HERMES_HANDLER_UNUSABLE", { name, file, problem }));
  }

  #onThread({ message, body }: BinaryFrame<ThreadMessage>): void {
    if (message === null) return this.#settle()?.resolve(body === "" ? null : JSON.parse(body));
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
      case "loaded":
        return this.#onLoaded();
      case "unusable":
        // A thread can load a module only once, so trying again needs another thread.
        return this.#endUnusable(message.problem);
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

  /** If the program itself was busy, an answer that had arrived has been read by now. */
  #expire(): void {
    if (this.#current === undefined) return;
    this.#endLate(this.#options.hook.timeoutSeconds);
  }

  #endLate(seconds: number): void {
    const { name } = this.#options.hook;
    this.#end((event) => new HermesError("HERMES_HANDLER_TIMEOUT", { name, event, seconds }));
  }

  /** The process has ended by itself. */
  #died(problem: string): void {
    if (this.#isOver) return;
    if (this.#current === undefined) this.#options.report.onStray(`ended its thread between two events: ${problem}`);
    this.#end((event) => this.#fault("HERMES_HANDLER_DIED", event, problem));
  }

  #end(failure: (event: string) => HermesError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const run = this.#current;
    this.#current = undefined;
    clearTimeout(this.#startTimer);
    this.#deadlines.clear();
    void this.#kill().then(() => {
      this.#isGone();
      run?.reject(failure(run.event));
    });
  }

  async #kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    const ended = await withDeadline(STUCK_MS, () => this.#ended);
    if (ended.kind !== "late") return;
    this.#options.report.onStray(`is still running ${STUCK_MS / 1000} s after its process was killed`);
    this.#child.unref();
    this.#thread?.destroy();
    pipeOf(this.#child, CONTROL_DESCRIPTOR)?.destroy();
  }

  #fault(code: "HERMES_HANDLER_FAILED" | "HERMES_HANDLER_DIED", event: string, problem: string): HermesError {
    return new HermesError(code, { name: this.#options.hook.name, event, problem });
  }
}

/** Undefined if the process could not be started. */
function pipeOf(child: ChildProcess, descriptor: number): Socket | undefined {
  return ((child.stdio as readonly unknown[] | undefined)?.[descriptor] ?? undefined) as Socket | undefined;
}
