/** A process that stays: it gets one line for each question and answers with one line. No shell is involved. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Escaped } from "./descendants.ts";
import { launch, type Launched, type LaunchOptions } from "./launch.ts";
import { OPEN } from "./pipes.ts";
import { drained, KILL_GRACE_MS } from "./run.ts";

export interface CoprocessOptions extends Omit<LaunchOptions, "stdin" | "leftovers"> {
  /** For an answer, and for what standard error gets during one question. More kills the process. */
  readonly maxOutputBytes: number;
}

export interface QuestionOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How a question ended; `broken` is everything else that leaves it without its answer. */
export type QuestionEnd = "answered" | "timeout" | "overflow" | "interrupted" | "broken";

export interface Answered {
  readonly ended: QuestionEnd;
  /** The answer without its newline; empty if there is none. Invalid UTF-8 becomes U+FFFD. */
  readonly line: string;
  /** What the process has written to standard error meanwhile. */
  readonly stderr: string;
  /** Processes that had left the group and were killed, too. */
  readonly escaped: readonly Escaped[];
}

/** How long a process has to end by itself when its standard input is closed. */
const FAREWELL_MS = 200;
const NEWLINE = 0x0a;

/** Starts a coprocess, which does not keep this process from exiting. Never rejects; the problem is a clause. */
export async function startCoprocess(options: CoprocessOptions): Promise<Coprocess | { readonly problem: string }> {
  const launched = await launch({ ...options, stdin: OPEN, leftovers: "kill" });
  return "problem" in launched ? launched : new Coprocess(launched, options.maxOutputBytes);
}

/** A question that waits for its answer. */
interface Pending {
  /** In bytes, with its newline. */
  readonly size: number;
  readonly output: Buffer[];
  readonly errors: Buffer[];
  outputBytes: number;
  errorBytes: number;
  readonly finish: (ended: QuestionEnd, line: string) => void;
}

export class Coprocess {
  /** Why it takes no more questions, as a clause; null while it does. */
  ending: string | null = null;
  /** True when it has not read the last question: it ended before, or had closed its standard input. */
  unread = false;
  readonly #launched: Launched;
  readonly #most: number;
  readonly #gone: Promise<void>;
  #pending: Pending | undefined;
  #verdict: QuestionEnd = "broken";
  #escaped: readonly Escaped[] = [];
  #exited = false;

  constructor(launched: Launched, most: number) {
    this.#launched = launched;
    this.#most = most;
    const { child, stdin, stdout, stderr } = launched.start;
    // What breaks while it is read or written shows in how the process goes on.
    stdout?.on("data", (chunk: Buffer) => this.#takeOutput(chunk)).on("error", () => undefined);
    stderr?.on("data", (chunk: Buffer) => this.#takeErrors(chunk)).on("error", () => undefined);
    stdin?.on("error", () => {
      this.unread = true;
      this.#stop("broken", "it closed its standard input");
    });
    this.#gone = this.#watch(child, [closed(stdout), closed(stderr)]);
    child.unref();
    for (const stream of [stdin, stdout, stderr]) (stream as Socket | null)?.unref();
  }

  /** Resolves when all that it has written so far is read, so that no old output passes for the next answer. */
  settled(): Promise<void> {
    // Node polls every pipe between two immediates.
    return new Promise((resolve) => {
      setImmediate(() => setImmediate(resolve));
    });
  }

  /** Asks one question; only one at a time. Every end but `answered` has killed the process. Never rejects. */
  ask(question: string, { timeoutMs, signal }: QuestionOptions): Promise<Answered> {
    const { promise, resolve } = Promise.withResolvers<Answered>();
    const interrupt = () => this.#stop("interrupted", "it was interrupted");
    // If the event loop was busy, first read what has come in time.
    const expire = () => setImmediate(() => this.#pending === pending && this.#stop("timeout", "it did not answer"));
    const timer = setTimeout(expire, timeoutMs);
    const input = Buffer.from(`${question}\n`);
    const pending: Pending = {
      size: input.length,
      output: [],
      errors: [],
      outputBytes: 0,
      errorBytes: 0,
      finish: (ended, line) => {
        this.#pending = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", interrupt);
        const stderr = Buffer.concat(pending.errors).subarray(0, this.#most).toString("utf8");
        resolve({ ended, line, stderr, escaped: this.#escaped });
      },
    };
    this.#pending = pending;
    signal.addEventListener("abort", interrupt, { once: true });
    if (signal.aborted) interrupt();
    else this.#launched.start.stdin?.write(input);
    return promise;
  }

  /** Closes its standard input, and kills it and its children if it does not end by itself. Never rejects. */
  async close(): Promise<void> {
    const { start, running } = this.#launched;
    start.child.ref();
    start.stdin?.destroy();
    if (this.#pending === undefined) this.ending ??= "it was ended";
    const timer = setTimeout(() => {
      if (this.#pending !== undefined) this.#stop("interrupted", "it was ended");
      else running.terminate(KILL_GRACE_MS);
    }, FAREWELL_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  /** Kills it and its children, and resolves when it has ended. Never rejects. */
  async kill(why: string): Promise<void> {
    this.#stop("broken", why);
    await this.#gone;
  }

  /** The first reason wins. The question that waits is finished when the process has ended. */
  #stop(verdict: QuestionEnd, why: string): void {
    if (this.ending !== null) return;
    this.ending = why;
    this.#verdict = verdict;
    const { start, running } = this.#launched;
    start.child.ref();
    if (!this.#exited) running.terminate(KILL_GRACE_MS);
  }

  async #watch(child: ChildProcess, streams: readonly Promise<void>[]): Promise<void> {
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.once("exit", (...how) => resolve(how));
    });
    this.#exited = true;
    const unread = this.#launched.start.takeUnread();
    if (this.#pending !== undefined && unread >= this.#pending.size) this.unread = true;
    this.#escaped = this.#launched.running.ended();
    // An answer that it gave right before its end is still in the pipe.
    await drained(streams);
    const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
    this.ending ??= `it ${how}`;
    const { stdin, stdout, stderr } = this.#launched.start;
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    this.#pending?.finish(this.#verdict, "");
  }

  #takeOutput(chunk: Buffer): void {
    if (this.ending !== null) return;
    const pending = this.#pending;
    if (pending === undefined) return this.#stop("broken", "it wrote output that no event had asked for");
    const end = chunk.indexOf(NEWLINE);
    pending.output.push(end === -1 ? chunk : chunk.subarray(0, end));
    pending.outputBytes += chunk.length;
    if (pending.outputBytes > this.#most) this.#stop("overflow", "it wrote too much");
    else if (end !== -1 && end < chunk.length - 1) this.#stop("broken", "it answered with more than one line");
    else if (end !== -1) pending.finish("answered", Buffer.concat(pending.output).toString("utf8"));
  }

  /** Between two questions, standard error is read and dropped. */
  #takeErrors(chunk: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined || pending.errorBytes > this.#most) return;
    pending.errors.push(chunk);
    pending.errorBytes += chunk.length;
    if (pending.errorBytes > this.#most) this.#stop("overflow", "it wrote too much");
  }
}

/** Resolves when a stream has ended or is destroyed. */
function closed(stream: Readable | null): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null) resolve();
    else stream.once("close", resolve);
  });
}
