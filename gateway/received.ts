/** Recognises messages that platforms deliver twice. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { InboundMessage } from "#core/ports/platform";

const KEPT_DAYS = 7;
const MOST_ROWS = 50_000;
/** Old rows are deleted once every this many messages. */
const SWEEP_EVERY = 1000;

/** Records the ids of messages in `state.db`, or in memory while that is not writable. */
export class ReceivedMessages {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #inMemory = new BoundedMap<string, true>(SWEEP_EVERY);
  #insert: StatementSync | undefined;
  #count = 0;

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** True for the first delivery of a message; one without an id is always new. Never throws. */
  isNew({ source, message_id }: InboundMessage): boolean {
    if (message_id === "") return true;
    const known = JSON.stringify([source.platform, message_id]);
    if (this.#inMemory.has(known)) return false;
    try {
      if (this.#count++ % SWEEP_EVERY === 0) this.#sweep();
      this.#insert ??= this.#database.prepare(
        "INSERT OR IGNORE INTO inbound_messages (platform, message_id, received_at) VALUES (?, ?, ?)",
      );
      return Number(this.#insert.run(source.platform, message_id, new Date().toISOString()).changes) > 0;
    } catch (error) {
      this.#log.warn("received messages cannot be recorded in state.db", { problem: problemOf(error) });
      this.#inMemory.set(known, true);
      return true;
    }
  }

  #sweep(): void {
    const before = new Date(Date.now() - KEPT_DAYS * 86_400_000).toISOString();
    this.#database.prepare("DELETE FROM inbound_messages WHERE received_at < ?").run(before);
    this.#database
      .prepare(
        `DELETE FROM inbound_messages WHERE received_at <
           (SELECT received_at FROM inbound_messages ORDER BY received_at DESC LIMIT 1 OFFSET ?)`,
      )
      .run(MOST_ROWS);
  }
}
