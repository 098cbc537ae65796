/** One Python process, from the side of the program: its calls, its output and its end. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { fileURLToPath } from "node:url";
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import { describeExit, exitOf, outerMarker, startCompanion, workingFolder } from "#sandbox/process/companion";
import { watchOutput } from "#sandbox/process/lines";
import { signalGroup } from "#sandbox/process/terminate";
import { PythonFailure } from "./failure.ts";
import { BRIDGE_DESCRIPTOR, type FromPython, type PythonRequest, type PythonText, type ToPython } from "./wire.ts";

const START = fileURLToPath(new URL("./start.py", import.meta.url));
/** How long it may take to start; generous, for a machine under load. */
const START_MS = 20_000;
/** How long it may take to notice a call while none runs that could hold it up. */
const UNHEARD_MS = 10_000;
const LOOK_MS = 1000;
/** How long it may take to end by itself, and its connections to close once it has ended. */
const FAREWELL_MS = 2000;
const DRAIN_MS = 500;
/** The longest line that it may send; answers are limited in Python. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
const OLDEST_PYTHON = "3.9";

export interface PythonProcessOptions {
  readonly interpreter: string;
  readonly env: NodeJS.ProcessEnv;
  /** Takes output and errors outside of calls; null for an extension that nobody knows. */
  readonly onText: (text: PythonText) => void;
  /** Answers what a plugin asks for. Rejects with a reason. */
  readonly onRequest: (request: PythonRequest) => Promise<unknown>;
}

/** How a process ended. */
export interface PythonEnd {
  readonly problem: string;
  /** The extension that caused it, if known. */
  readonly culprit: number | null;
  /** The extension whose code began last, which is the likely cause otherwise; null when none has run. */
  readonly last: number | null;
  /** The program has asked for it. */
  readonly isPlanned: boolean;
}

export interface CallOptions {
  readonly extension: number;
  /** Called when its code begins to run. */
  readonly onBegun: () => void;
}

interface PendingCall extends CallOptions {
  readonly sent: number;
  begun: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (failure: PythonFailure) => void;
}

export class PythonProcess {
  readonly interpreter: string;
  /** Resolves when it takes calls; rejects with a {@link PythonFailure} if it does not get ready. Nobody need wait for it. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended and everything it sent was read. */
  readonly ended: Promise<PythonEnd>;
  readonly #options: PythonProcessOptions;
  readonly #child: ChildProcess;
  readonly #channel: Socket | undefined;
  readonly #calls = new Map<number, PendingCall>();
  /** Those whose code has begun, in that order. */
  readonly #running = new Map<number, PendingCall>();
  #last: number | null = null;
  readonly #onReady: PromiseWithResolvers<void>;
  #ids = 0;
  #look: NodeJS.Timeout | undefined;
  #reason: { readonly problem: string; readonly culprit: number | null } | undefined;
  #isOver = false;
  #isRetired = false;
  #isPlanned = false;

  /** Throws when the system cannot start a process. */
  constructor(options: PythonProcessOptions) {
    this.#options = options;
    this.interpreter = options.interpreter;
    this.#onReady = Promise.withResolvers();
    this.ready = this.#onReady.promise;
    this.ready.catch(() => undefined);
    const marker = outerMarker();
    this.#child = startCompanion({
      interpreter: options.interpreter,
      args: [START, `${marker.name}=${marker.value ?? ""}`],
      env: options.env,
      cwd: workingFolder(),
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#channel = (this.#child.stdio as readonly unknown[] | undefined)?.[BRIDGE_DESCRIPTOR] as Socket | undefined;
    this.ended = this.#watch();
    const timer = setTimeout(() => void this.kill(`Python did not start within ${START_MS / 1000} s`), START_MS);
    void Promise.allSettled([this.ready]).then(() => clearTimeout(timer));
    this.#keepAlive(false);
  }

  /** True when it accepts no more calls. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends a call, whose message is made with its id. Rejects with a {@link PythonFailure}. */
  call(
    write: (id: number) => string,
    options: CallOptions,
  ): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = ++this.#ids;
    const { promise: answer, resolve, reject } = Promise.withResolvers<unknown>();
    if (this.#isOver) {
      reject(new PythonFailure("lost", "its process has ended"));
      return { id, answer };
    }
    if (this.#calls.size === 0) this.#keepAlive(true);
    this.#calls.set(id, { ...options, sent: performance.now(), begun: false, resolve, reject });
    if (this.#look === undefined) this.#lookLater();
    this.#channel?.write(`${write(id)}\n`);
    return { id, answer };
  }

  send(message: ToPython): void {
    if (this.#channel?.writable === true) this.#channel.write(`${JSON.stringify(message)}\n`);
  }

  /** Takes no more calls, and ends once those that run have ended. */
  retire(): void {
    this.#isOver = this.#isRetired = true;
    if (this.#calls.size === 0) void this.close();
  }

  /** Kills it and what runs in its process group; resolves when it is gone. The first reason is reported. */
  async kill(problem: string, culprit: number | null = null): Promise<void> {
    this.#reason ??= { problem, culprit };
    this.#isOver = true;
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      signalGroup(this.#child.pid, "SIGKILL");
    }
    await this.ended;
  }

  /** Lets it end by itself, and kills it if it does not. */
  async close(): Promise<void> {
    this.#reason ??= { problem: "its hook was closed", culprit: null };
    this.#isOver = this.#isPlanned = true;
    this.#keepAlive(true);
    this.#channel?.end();
    const ended = await withDeadline(FAREWELL_MS, () => this.ended);
    if (ended.kind === "late") await this.kill("it did not end");
  }

  async #watch(): Promise<PythonEnd> {
    const stderr = watchOutput(this.#child, (level, text) => {
      this.#options.onText({ type: "output", extension: this.#soleRunner(), level, text });
    });
    const read = this.#readChannel();
    const [code, signal] = await exitOf(this.#child);
    this.#isOver = true;
    // What hooks have started may hold them open.
    await withDeadline(DRAIN_MS, () => read);
    this.#channel?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    clearTimeout(this.#look);
    const { problem, culprit } = this.#reason ?? { problem: describeExit(code, signal, stderr()), culprit: null };
    const last = [...this.#running.values()].at(-1)?.extension ?? this.#last;
    for (const call of this.#calls.values()) call.reject(failureOf(call, problem, culprit));
    this.#calls.clear();
    this.#onReady.reject(new PythonFailure("unavailable", `${this.interpreter}: ${problem}`));
    return { problem, culprit, last, isPlanned: this.#isPlanned };
  }

  /** Resolves when the connection is closed. */
  #readChannel(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return Promise.resolve();
    const decoder = new StringDecoder("utf8");
    let rest = "";
    channel.on("data", (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      try {
        if (rest.length > MOST_CHARACTERS) throw new Error(`a message of more than ${MOST_CHARACTERS} characters`);
        for (const line of lines) this.#take(JSON.parse(line) as FromPython);
      } catch (error) {
        channel.removeAllListeners("data").resume();
        void this.kill(`its process broke the protocol: ${problemOf(error)}`);
      }
    });
    // The process ended during a write; its end is reported by its exit.
    channel.on("error", () => undefined);
    // A process that has closed its end can do nothing more.
    channel.once("end", () => void this.#endIfAlive());
    return new Promise((resolve) => void channel.once("close", () => resolve()));
  }

  async #endIfAlive(): Promise<void> {
    const ended = await withDeadline(DRAIN_MS, () => exitOf(this.#child), { keepsAlive: false });
    if (ended.kind === "late") await this.kill("its process closed the connection");
  }

  #take(message: FromPython): void {
    switch (message.type) {
      case "ready":
        return this.#onReady.resolve();
      case "old": {
        const problem = `it is Python ${message.version}, but ${OLDEST_PYTHON} or newer is needed`;
        return this.#onReady.reject(new PythonFailure("unavailable", `${this.interpreter}: ${problem}`));
      }
      case "begun": {
        const call = this.#calls.get(message.id);
        // A function may return something to await, and begins twice.
        if (call === undefined || call.begun) return;
        call.begun = true;
        this.#running.set(message.id, call);
        this.#last = call.extension;
        return call.onBegun();
      }
      case "answer":
        return this.#settle(message.id)?.resolve(message.value);
      case "failed":
        return this.#settle(message.id)?.reject(new PythonFailure(message.kind, message.problem));
      case "request":
        return void this.#reply(message);
      case "output":
      case "stray":
        return this.#options.onText(message);
    }
  }

  async #reply(request: PythonRequest): Promise<void> {
    const { id, extension } = request;
    try {
      const value = await this.#options.onRequest(request);
      this.send({ op: "reply", extension, id, ok: true, value });
    } catch (error) {
      this.send({ op: "reply", extension, id, ok: false, value: problemOf(error) });
    }
  }

  #settle(id: number): PendingCall | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    this.#running.delete(id);
    if (this.#calls.size > 0) return call;
    if (this.#isRetired) void this.close();
    else this.#keepAlive(false);
    return call;
  }

  /** The extension whose code runs; null when there are several, or none. */
  #soleRunner(): number | null {
    const running = new Set([...this.#running.values()].map(({ extension }) => extension));
    const [first = null] = running;
    return running.size === 1 ? first : null;
  }

  #lookLater(): void {
    this.#look = setTimeout(() => this.#findUnheard(), LOOK_MS).unref();
  }

  /** Something other than a call holds the process up, such as a thread in native code. */
  #findUnheard(): void {
    this.#look = undefined;
    if (this.#calls.size === 0 || this.#isOver) return;
    const since = performance.now() - UNHEARD_MS;
    if (this.#running.size === 0 && [...this.#calls.values()].some(({ sent }) => sent < since)) {
      void this.kill(`its process did not take the event within ${UNHEARD_MS / 1000} s`);
    } else this.#lookLater();
  }

  /** An idle process does not keep the program alive. */
  #keepAlive(keeps: boolean): void {
    const { stdout, stderr } = this.#child as { stdout: Socket | null; stderr: Socket | null };
    for (const handle of [this.#child, this.#channel, stdout, stderr]) {
      if (keeps) handle?.ref();
      else handle?.unref();
    }
  }
}

function failureOf({ begun, extension }: PendingCall, problem: string, culprit: number | null): PythonFailure {
  if (!begun) return new PythonFailure("lost", problem);
  if (culprit === null || culprit === extension) return new PythonFailure("died", problem);
  return new PythonFailure("died", "another hook ended the Python process that they share");
}
