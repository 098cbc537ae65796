/** The events in `state.db`, so that they are still there when the dashboard starts again. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "#core/database";
import { problemOf } from "#core/errors";
import { MOST_EVENTS, type KeptEvent } from "./history.ts";

export interface EventStoreOptions {
  /** A connection of its own: how long it waits for other processes is set here. */
  readonly database: DatabaseSync;
  /** The number of the oldest event that is still kept; what lies before it is deleted. */
  readonly oldest: () => number | null;
  /** Told once when events cannot be written; from then on they are in memory only. */
  readonly onLost: (problem: string) => void;
}

/**
 * Rows of one transaction, which takes some milliseconds, and how soon another may follow: at 20,000 events a second
 * the loop still belongs to the senders. What comes faster is deleted before its turn.
 */
const ROWS_AT_ONCE = 500;
const PACE_MS = 25;
/** How long fewer rows may wait. */
const DELAY_MS = 200;
/** While another process writes, nothing else runs here: rather tried again than waited for. */
const BUSY_MS = 50;
const RETRY_MS = 500;
const SQLITE_BUSY = 5;
/** At the end there is no later. */
const LAST_BUSY_MS = 3000;

export class EventStore {
  readonly #options: EventStoreOptions;
  #waiting: KeptEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #insert: StatementSync | undefined;
  #lost = false;

  constructor(options: EventStoreOptions) {
    this.#options = options;
    options.database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
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
    // What would be deleted at once is not even written.
    if (this.#waiting.length > 2 * MOST_EVENTS) this.#waiting = this.#waiting.slice(-MOST_EVENTS);
    if (this.#waiting.length === ROWS_AT_ONCE) this.#schedule(PACE_MS);
    else if (this.#timer === undefined) this.#schedule(DELAY_MS);
  }

  /** Writes all that waits, and takes no more. May be called again. */
  close(): void {
    if (this.#lost) return;
    this.#options.database.exec(`PRAGMA busy_timeout = ${LAST_BUSY_MS}`);
    let written = true;
    while (written && this.#waiting.length > 0) written = this.#writeSome();
    this.#unschedule();
    if (!this.#lost && !written) this.#lose(`another process kept it busy for ${LAST_BUSY_MS / 1000} s`);
    this.#lost = true;
  }

  /** Writes the first rows that wait. False when it could not. */
  #writeSome(): boolean {
    this.#unschedule();
    try {
      this.#write(this.#waiting.slice(0, ROWS_AT_ONCE));
      this.#waiting.splice(0, ROWS_AT_ONCE);
      if (this.#waiting.length > 0) this.#schedule(this.#waiting.length < ROWS_AT_ONCE ? DELAY_MS : PACE_MS);
      return true;
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode !== SQLITE_BUSY) this.#lose(problemOf(error));
      else this.#schedule(RETRY_MS);
      return false;
    }
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#writeSome(), ms).unref();
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #write(rows: readonly KeptEvent[]): void {
    const { database, oldest } = this.#options;
    // Two dashboards of one home number their events each for itself: the later row then takes the next free number.
    this.#insert ??= database.prepare(
      `INSERT INTO dashboard_events (seq, at, src, event_type, context)
       VALUES ((SELECT CASE WHEN EXISTS (SELECT 1 FROM dashboard_events WHERE seq = ?1) THEN NULL ELSE ?1 END), ?2, ?3, ?4, ?5)`,
    );
    const insert = this.#insert;
    transaction(database, () => {
      for (const { seq, at, src, event_type, context } of rows) insert.run(seq, at, src, event_type, context);
      database.prepare("DELETE FROM dashboard_events WHERE seq < ?").run(oldest() ?? 0);
    });
  }

  #lose(problem: string): void {
    this.#lost = true;
    this.#waiting = [];
    this.#unschedule();
    this.#options.onLost(problem);
  }
}
