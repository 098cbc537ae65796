/** The lines on their way to one destination: queued within bounds, sent in batches, tried again after a failure. */
import { setTimeout as pause } from "node:timers/promises";
import { growingPause } from "#core/backoff";
import { problemOf } from "#core/errors";
import { OncePerMinute } from "#core/rare-log";
import { LaterError, RefusedError, type Sink } from "./sink.ts";

export interface PumpOptions {
  readonly sink: Sink;
  /** Most lines that are sent at once. */
  readonly batch: number;
  /** How long lines wait for others, in milliseconds. */
  readonly intervalMs: number;
  /** Told what goes wrong, as a clause about the lines of this destination. */
  readonly say: (level: "info" | "warn", clause: string) => void;
  readonly bounds?: Partial<PumpBounds>;
}

/** All times in milliseconds. */
export interface PumpBounds {
  readonly mostLines: number;
  /** Characters of all waiting lines. */
  readonly mostCharacters: number;
  readonly firstPause: number;
  readonly longestPause: number;
  /** How long one attempt may take. */
  readonly attempt: number;
  /** How often drops are reported. */
  readonly report: number;
}

const BOUNDS: PumpBounds = {
  mostLines: 10_000,
  mostCharacters: 16 * 1024 * 1024,
  firstPause: 1000,
  longestPause: 30_000,
  attempt: 15_000,
  report: 60_000,
};
/** Whatever a server asks for. */
const LONGEST_RETRY_AFTER_MS = 600_000;
/** Characters that are sent at once. */
const BATCH_CHARACTERS = 1024 * 1024;

export class LogPump {
  readonly #options: PumpOptions;
  readonly #bounds: PumpBounds;
  readonly #stopped = new AbortController();
  readonly #failureSaid = new OncePerMinute();
  readonly #waiting: string[] = [];
  #characters = 0;
  #running: Promise<void> | undefined;
  #interval: NodeJS.Timeout | undefined;
  /** Ends the pause after a failure. */
  #hurry = new AbortController();
  #draining = false;
  #failures = 0;
  #hasSaidFailure = false;
  #dropped = 0;
  #dropReason = "";
  #report: NodeJS.Timeout | undefined;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#bounds = { ...BOUNDS, ...options.bounds };
  }

  /** Takes a line. Never throws and never waits: a line too many is dropped. */
  push(line: string): void {
    const { mostLines, mostCharacters } = this.#bounds;
    if (this.#stopped.signal.aborted) return;
    if (this.#waiting.length >= mostLines || this.#characters + line.length > mostCharacters) {
      this.#drop(1, "too many lines are waiting");
      return;
    }
    this.#waiting.push(line);
    this.#characters += line.length;
    this.#wake();
  }

  /** Opens the destination's file again for the next lines, and tries at once. */
  reopen(): void {
    this.#options.sink.reopen?.();
    this.#hurry.abort();
  }

  /** Sends what is waiting, for at most `ms`, and closes the destination. Lines that are left are reported. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    this.#hurry.abort();
    this.#wake();
    await withinMs(ms, this.#running);
    this.#stopped.abort();
    clearTimeout(this.#interval);
    clearTimeout(this.#report);
    if (this.#waiting.length > 0) this.#drop(this.#waiting.length, "they could not be sent before the end");
    this.#reportDrops();
    clearTimeout(this.#report);
    const close = async () => {
      await this.#running;
      await this.#options.sink[Symbol.asyncDispose]();
    };
    await withinMs(ms, close());
  }

  #wake(): void {
    if (this.#running !== undefined || this.#stopped.signal.aborted) return;
    if (this.#isDue()) {
      this.#start();
    } else if (this.#waiting.length > 0) {
      this.#interval ??= setTimeout(() => this.#start(), this.#options.intervalMs).unref();
    }
  }

  #start(): void {
    clearTimeout(this.#interval);
    this.#interval = undefined;
    if (this.#waiting.length === 0) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // The end makes no further attempt.
      if (!this.#draining) this.#wake();
    });
  }

  /** Whether a batch is to be sent without waiting for more lines. */
  #isDue(): boolean {
    const { batch, intervalMs } = this.#options;
    return this.#waiting.length > 0 && (intervalMs === 0 || this.#draining || this.#waiting.length >= batch);
  }

  /** Sends the batch at the head, and the next ones that are due; after a failure it pauses and tries again. */
  async #run(): Promise<void> {
    // The lines of one moment go together.
    await Promise.resolve();
    do {
      const isSent = await this.#sendBatch();
      if (!isSent && this.#draining) return;
    } while (this.#isDue() && !this.#stopped.signal.aborted);
  }

  /** False when the batch is still to be sent. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#nextBatch();
    const deadline = AbortSignal.timeout(this.#bounds.attempt);
    try {
      const sent = await this.#options.sink.send(batch, AbortSignal.any([this.#stopped.signal, deadline]));
      this.#remove(sent);
      this.#succeeded();
      return true;
    } catch (error) {
      if (error instanceof RefusedError) {
        this.#remove(batch.length);
        this.#drop(batch.length, error.message);
        return true;
      }
      if (this.#stopped.signal.aborted) return false;
      this.#failed(deadline.aborted ? `no answer within ${this.#bounds.attempt / 1000} s` : problemOf(error));
      await this.#pause(error instanceof LaterError ? error.retryAfterMs : 0);
      return false;
    }
  }

  #nextBatch(): readonly string[] {
    let characters = 0;
    let count = 0;
    for (const line of this.#waiting) {
      characters += line.length;
      if (count > 0 && (characters > BATCH_CHARACTERS || count >= this.#options.batch)) break;
      count++;
    }
    return this.#waiting.slice(0, count);
  }

  #remove(count: number): void {
    for (const line of this.#waiting.splice(0, count)) this.#characters -= line.length;
  }

  #succeeded(): void {
    this.#failures = 0;
    if (!this.#hasSaidFailure) return;
    this.#hasSaidFailure = false;
    this.#options.say("info", "are sent again");
  }

  #failed(problem: string): void {
    this.#failures++;
    if (this.#hasSaidFailure || !this.#failureSaid.isDue()) return;
    this.#hasSaidFailure = true;
    this.#options.say("warn", `cannot be sent and will be tried again: ${problem}`);
  }

  async #pause(leastMs: number): Promise<void> {
    if (this.#draining) return;
    this.#hurry = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, this.#hurry.signal]);
    const ms = Math.max(growingPause(this.#failures - 1, this.#bounds), Math.min(leastMs, LONGEST_RETRY_AFTER_MS));
    try {
      await pause(ms, undefined, { signal, ref: false });
    } catch {
      // It is needed sooner, or not any more.
    }
  }

  /** Reports the first drop at once, and further ones together, once a minute. */
  #drop(count: number, reason: string): void {
    this.#dropped += count;
    this.#dropReason = reason;
    if (this.#report === undefined) this.#reportDrops();
  }

  #reportDrops(): void {
    this.#report = undefined;
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#report = setTimeout(() => this.#reportDrops(), this.#bounds.report).unref();
    this.#options.say("warn", `were dropped: ${dropped} (${this.#dropReason})`);
  }
}

async function withinMs(ms: number, work: Promise<void> | undefined): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, pause(ms, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}
