/** The events in `state.db`, so that they are still there when the dashboard starts again. */
import type { DatabaseSync } from "node:sqlite";
import { extname } from "node:path";
// oxlint-disable-next-line no-restricted-imports -- a thread for our own code: SQLite's writes would hold up the senders
import { Worker } from "node:worker_threads";
import { problemOf } from "#core/errors";
import { MOST_EVENTS, type KeptEvent } from "./history.ts";

export interface EventStoreOptions {
  /** A connection to the file, for reading. */
  readonly database: DatabaseSync;
  /** The number of the oldest event that is still kept; what lies before it is deleted. */
  readonly oldest: () => number | null;
  /** Told once when events cannot be written; from then on they are in memory only. */
  readonly onLost: (problem: string) => void;
}

/** What the writer is asked to do, and how that went: `lost` is why it could not. */
export interface WriteRequest {
  readonly rows: readonly KeptEvent[];
  /** What has a lower number is deleted. */
  readonly oldest: number;
}
export type WriteReply = { readonly lost: string } | { readonly written: number };

const WRITER = new URL(`./store-worker${extname(import.meta.filename)}`, import.meta.url);
/**
 * How many rows are handed over at once, which takes the loop's time, and how soon after the last ones: 2,500 a second.
 * What comes faster for long is deleted before its turn, so that writing takes little from the senders; at the end
 * all that is kept is written.
 */
const ROWS_AT_ONCE = 250;
const PACE_MS = 100;
/** After how many events it is looked which of them are gone. */
const LOOK_EVERY = 1024;
/** How long the end waits for another process that writes. */
const LAST_MS = 5000;

/**
 * Hands events to a thread that writes them, one batch after another. While that is busy (another process may write)
 * the events wait here, as many as are kept anyway.
 */
export class EventStore {
  readonly #options: EventStoreOptions;
  #waiting: KeptEvent[] = [];
  #writer: Worker | undefined;
  #isWriting = false;
  #timer: NodeJS.Timeout | undefined;
  #lost = false;
  #ending: Promise<void> | undefined;
  #onRest: () => void = () => undefined;

  constructor(options: EventStoreOptions) {
    this.#options = options;
  }

  /** The events that an earlier dashboard left, oldest first. A database that cannot be read has none. */
  load(): readonly KeptEvent[] {
    try {
      const rows = this.#options.database
        .prepare("SELECT seq, at, src, event_type, context FROM dashboard_events ORDER BY seq DESC LIMIT ?")
        .all(MOST_EVENTS);
      return (rows as unknown as KeptEvent[]).toReversed();
    } catch (error) {
      this.#lose(problemOf(error));
      return [];
    }
  }

  /** Takes an event; it is written soon. Never throws. */
  add(event: KeptEvent): void {
    if (this.#lost) return;
    this.#waiting.push(event);
    // What would be deleted at once is not even kept.
    if (this.#waiting.length % LOOK_EVERY === 0) this.#forgetOld();
    if (!this.#isWriting) this.#handSoon();
  }

  /** Writes all that waits, within five seconds, and takes no more. May be called again. */
  close(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#writer?.ref();
    if (!this.#isWriting) this.#hand();
    if (this.#isWriting) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const late = setTimeout(() => this.#lose(`another process kept it busy for ${LAST_MS / 1000} s`), LAST_MS);
      this.#onRest = resolve;
      await promise;
      clearTimeout(late);
    }
    this.#lost = true;
    await this.#writer?.terminate();
  }

  #hand(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lost || this.#waiting.length === 0) return this.#onRest();
    const oldest = this.#forgetOld();
    const request: WriteRequest = { rows: this.#waiting.splice(0, ROWS_AT_ONCE), oldest };
    this.#isWriting = true;
    this.#writer ??= this.#startWriter();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.#writer.postMessage(request);
  }

  /** Gives the number of the oldest event that is kept. */
  #forgetOld(): number {
    const oldest = this.#options.oldest() ?? 0;
    this.#waiting = this.#waiting.filter(({ seq }) => seq >= oldest);
    return oldest;
  }

  #handSoon(): void {
    this.#timer ??= setTimeout(() => this.#hand(), PACE_MS).unref();
  }

  #startWriter(): Worker {
    const writer = new Worker(WRITER, { workerData: this.#options.database.location(), stdout: true, stderr: true });
    writer.on("message", (reply: WriteReply) => {
      this.#isWriting = false;
      if ("lost" in reply) this.#lose(reply.lost);
      else if (this.#ending !== undefined) this.#hand();
      else if (this.#waiting.length > 0) this.#handSoon();
    });
    writer.on("error", (error) => this.#lose(problemOf(error)));
    writer.unref();
    return writer;
  }

  #lose(problem: string): void {
    if (!this.#lost) this.#options.onLost(problem);
    this.#lost = true;
    this.#isWriting = false;
    this.#waiting = [];
    this.#onRest();
  }
}
