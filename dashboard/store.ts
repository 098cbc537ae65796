/** Stores events in `state.db`, so that they survive a restart of the dashboard. */
import type { DatabaseSync } from "node:sqlite";
import { extname } from "node:path";
// oxlint-disable-next-line no-restricted-imports -- a thread for our own code: SQLite's writes would delay senders
import { Worker } from "node:worker_threads";
import { problemOf } from "#core/errors";
import { MOST_EVENTS, type KeptEvent } from "./history.ts";

export interface EventStoreOptions {
  /** A connection for reading. */
  readonly database: DatabaseSync;
  /** The number of the oldest event to keep; earlier ones are deleted. */
  readonly oldest: () => number | null;
  /** Called once when events cannot be written; from then on they are kept in memory only. */
  readonly onLost: (problem: string) => void;
}

/** A request to the writer and its result: `lost` is the reason of a failure. */
export interface WriteRequest {
  readonly rows: readonly KeptEvent[];
  /** Events with a lower number are deleted. */
  readonly oldest: number;
}
export type WriteReply = { readonly lost: string } | { readonly written: number };

const WRITER = new URL(`./store-worker${extname(import.meta.filename)}`, import.meta.url);
/**
 * How many rows are sent to the thread at once, which blocks the event loop, and how often: 2,500 rows a second. If
 * events keep arriving faster, some are deleted before they are written, so that writing does not slow down senders.
 * At the end all kept events are written.
 */
const ROWS_AT_ONCE = 250;
/** How many characters are sent to the thread at once: they are copied. */
const CHARACTERS_AT_ONCE = 2 * 1024 * 1024;
const PACE_MS = 100;
/** After how many events and characters to check which of them can be deleted. */
const LOOK_EVERY = 1024;
const LOOK_EVERY_CHARACTERS = 4 * 1024 * 1024;
/** How long to wait at the end for another process that writes. */
const LAST_MS = 5000;

/**
 * Sends events to a thread that writes them in batches. While it is busy (another process may be writing), events
 * wait here, at most as many as are kept in memory anyway.
 */
export class EventStore {
  readonly #options: EventStoreOptions;
  #waiting: KeptEvent[] = [];
  /** Characters that arrived since old events were dropped. */
  #unchecked = 0;
  #writer: Worker | undefined;
  #isWriting = false;
  #timer: NodeJS.Timeout | undefined;
  #lost = false;
  #ending: Promise<void> | undefined;
  #onRest: () => void = () => undefined;

  constructor(options: EventStoreOptions) {
    this.#options = options;
  }

  /** The events of earlier dashboards, oldest first; none when the database cannot be read. */
  load(): readonly KeptEvent[] {
    try {
      const rows = this.#options.database
        .prepare(
          "SELECT seq, at, src, event_type, context, message_id AS id FROM dashboard_events ORDER BY seq DESC LIMIT ?",
        )
        .all(MOST_EVENTS);
      return (rows as unknown as KeptEvent[]).toReversed();
    } catch (error) {
      this.#lose(problemOf(error));
      return [];
    }
  }

  /** Queues an event to be written soon. Never throws. */
  add(event: KeptEvent): void {
    if (this.#lost) return;
    this.#waiting.push(event);
    // Drop events that would be deleted immediately.
    this.#unchecked += event.context.length;
    if (this.#waiting.length % LOOK_EVERY === 0 || this.#unchecked > LOOK_EVERY_CHARACTERS) this.#forgetOld();
    if (!this.#isWriting) this.#handSoon();
  }

  /** Writes all queued events within five seconds and accepts no more. May be called again. */
  close(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#writer?.ref();
    if (!this.#isWriting) this.#hand();
    if (this.#isWriting) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const late = setTimeout(() => this.#lose(`another process blocked it for ${LAST_MS / 1000} s`), LAST_MS);
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
    const request: WriteRequest = { rows: this.#waiting.splice(0, this.#rowsAtOnce()), oldest };
    this.#isWriting = true;
    this.#writer ??= this.#startWriter();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.#writer.postMessage(request);
  }

  #rowsAtOnce(): number {
    let characters = 0;
    const many = this.#waiting.findIndex(({ context }) => (characters += context.length) > CHARACTERS_AT_ONCE);
    return many === -1 ? ROWS_AT_ONCE : Math.min(ROWS_AT_ONCE, many + 1);
  }

  /** Returns the number of the oldest kept event. */
  #forgetOld(): number {
    this.#unchecked = 0;
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
