/** One process that hosts isolates, from the side of the program that started it. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type BinaryFrame, encodeFrame, FrameReader } from "#core/binary-frames";
import { problemOf } from "#core/errors";
import { describeExit, startCompanion } from "#sandbox/process/companion";
import { HOST_LIMITS } from "./limits.ts";
import { readablePaths } from "./readable-paths.ts";
import type { FromHost, ToHost } from "./wire.ts";

/** How a process ended. */
export interface HostEnd {
  /** A clause whose "it" is the handler or the process. */
  readonly problem: string;
  /** The guest that caused it, if known. */
  readonly culprit: number | null;
}

/** Takes messages of the process about one of its isolates. */
export interface Guest {
  onFrame(frame: BinaryFrame<FromHost>): void;
  onHostEnd(end: HostEnd): void;
}

/**
 * `--no-node-snapshot` is required by isolated-vm. The optimizing compilers, which have most of V8's vulnerabilities,
 * are off. So are child processes, threads, writing files and reading any file but the code of the process, in case
 * code escapes the isolate but not Node.
 */
const FLAGS = [
  "--no-node-snapshot",
  "--no-opt",
  "--no-maglev",
  "--permission",
  "--allow-addons",
  "--disable-warning=SecurityWarning",
  "--disable-warning=ExperimentalWarning",
];
/** What a handler's dates and numbers depend on; nothing else of the environment is passed on. */
const KEPT_VARIABLES = ["TZ", "LANG", "LC_ALL"];
const ENTRY = new URL(`./entry${extname(import.meta.filename)}`, import.meta.url);

export class IsolateHost {
  /** Resolves when the process is ready for frames; rejects if it does not get ready. */
  readonly ready: Promise<void>;
  /** Resolves when it has exited and all its messages were read. */
  readonly ended: Promise<HostEnd>;
  readonly #child: ChildProcess;
  readonly #channel: Socket | undefined;
  readonly #guests = new Map<number, Guest>();
  #guestNumber = 0;
  #tainted = false;
  #reason: HostEnd | undefined;
  #stderr = "";

  /** Throws when the system cannot start a process. */
  constructor(env: NodeJS.ProcessEnv) {
    const kept = KEPT_VARIABLES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
    this.#child = start(Object.fromEntries(kept) as NodeJS.ProcessEnv);
    // There are none if it could not be started.
    this.#channel = (this.#child.stdio as readonly unknown[] | undefined)?.[3] as Socket | undefined;
    // A handler's deadline keeps the program alive while it runs; an idle process does not.
    this.#child.unref();
    this.#channel?.unref();
    (this.#child.stderr as Socket | null | undefined)?.unref();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    // Callers that wait for it get the error; there may be none.
    promise.catch(() => undefined);
    this.ended = this.#watch(resolve);
    void this.ended.then(({ problem }) => reject(new Error(problem)));
  }

  /** Whether it has room for another hook. */
  get hasRoom(): boolean {
    return !this.#tainted && this.#reason === undefined && this.#guests.size < HOST_LIMITS.hooks;
  }

  get isEmpty(): boolean {
    return this.#guests.size === 0;
  }

  /** Assigns a number to a guest. */
  enter(guest: Guest): number {
    this.#guestNumber += 1;
    this.#guests.set(this.#guestNumber, guest);
    return this.#guestNumber;
  }

  leave(guest: number): void {
    this.#guests.delete(guest);
  }

  /** Throws a RangeError for a frame that is too large. */
  send(message: ToHost, body?: string): void {
    const frame = encodeFrame(message, body);
    if (this.#channel?.writable) this.#channel.write(frame);
  }

  /** Loads what the first handler needs. */
  prepare(): void {
    this.send({ type: "prepare" });
  }

  /** Nothing more can be loaded here, because it can no longer parse sources. */
  taint(): void {
    this.#tainted = true;
  }

  /** Ends the process at once. Resolves when it is gone. */
  async kill(problem: string, culprit: number | null = null): Promise<void> {
    this.#reason ??= { problem, culprit };
    this.#child.ref();
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  async #watch(onReady: () => void): Promise<HostEnd> {
    const reader = new FrameReader<FromHost>();
    this.#channel?.on("data", (piece: Buffer) => {
      try {
        for (const frame of reader.read(piece)) this.#onFrame(frame, onReady);
      } catch (error) {
        void this.kill(`its process broke the protocol: ${problemOf(error)}`);
      }
    });
    // The process ended during a write; its end is reported below.
    this.#channel?.on("error", () => undefined);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-HOST_LIMITS.stderrBytes);
    });
    const [code, signal] = await endOf(this.#child);
    const end = this.#reason ?? { problem: describeExit(code, signal, this.#stderr), culprit: null };
    this.#reason = end;
    const guests = [...this.#guests.values()];
    this.#guests.clear();
    for (const guest of guests) guest.onHostEnd(end);
    return end;
  }

  #onFrame(frame: BinaryFrame<FromHost>, onReady: () => void): void {
    const { message } = frame;
    if (message.type === "ready") return onReady();
    if (message.type === "fatal") {
      this.#reason ??= { problem: frame.body, culprit: message.guest };
      return;
    }
    this.#guests.get(message.guest)?.onFrame(frame);
  }
}

function start(env: NodeJS.ProcessEnv): ChildProcess {
  const readable = readablePaths().map((path) => `--allow-fs-read=${path}`);
  const args = [...FLAGS, ...readable, fileURLToPath(ENTRY)];
  return startCompanion({ args, env, cwd: "/", stdio: ["ignore", "ignore", "pipe", "pipe"] });
}

function endOf(child: ChildProcess): Promise<[code: number | Error | null, signal: string | null]> {
  return new Promise((resolve) => {
    // If it was started, the error is about a signal that could not be sent; its exit is still to come.
    child.on("error", (error) => {
      if (child.pid === undefined) resolve([error, null]);
    });
    child.once("close", (code, signal) => resolve([code, signal]));
  });
}
