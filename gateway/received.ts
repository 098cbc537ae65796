/**
 * Recognises messages that platforms deliver twice. An id is recorded when the message is the gateway's: until then, a
 * crash leaves it to the platform, which delivers it again.
 */
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
  /** Messages whose hooks run. */
  readonly #arriving = new Set<string>();
  readonly #inMemory = new BoundedMap<string, true>(SWEEP_EVERY);
  #find: StatementSync | undefined;
  #insert: StatementSync | undefined;
  #count = 0;

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** True for the first delivery of a message, which `settle` must follow; one without an id is always new. Never throws. */
  isNew(message: InboundMessage): boolean {
    const { source, message_id: id } = message;
    if (id === "") return true;
    const known = keyOf(message);
    if (this.#arriving.has(known) || this.#inMemory.has(known)) return false;
    const isRecorded = this.#attempt(() => {
      if (this.#count++ % SWEEP_EVERY === 0) this.#sweep();
      this.#find ??= this.#database.prepare("SELECT 1 FROM inbound_messages WHERE platform = ? AND message_id = ?");
      return this.#find.get(source.platform, id) !== undefined;
    });
    if (isRecorded === true) return false;
    this.#arriving.add(known);
    return true;
  }

  /** Records the message: it has been stored or answered. Never throws; a second call does nothing. */
  settle(message: InboundMessage): void {
    const known = keyOf(message);
    if (!this.#arriving.delete(known)) return;
    const { source, message_id: id } = message;
    const isRecorded = this.#attempt(() => {
      this.#insert ??= this.#database.prepare(
        "INSERT OR IGNORE INTO inbound_messages (platform, message_id, received_at) VALUES (?, ?, ?)",
      );
      this.#insert.run(source.platform, id, new Date().toISOString());
      return true;
    });
    if (isRecorded === undefined) this.#inMemory.set(known, true);
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

  #attempt<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      this.#log.warn("received messages cannot be recorded in state.db", { problem: problemOf(error) });
      return undefined;
    }
  }
}

function keyOf({ source, message_id: id }: InboundMessage): string {
  return JSON.stringify([source.platform, id]);
}
