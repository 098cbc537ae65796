/**
 * Messages that Meta was told have arrived, until they are done: it does not send them again, so a kill of the gateway
 * must not lose them. The rest of the gateway recognises what it had already begun (`gateway/received.ts`).
 */
import type { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { isMapping } from "#core/mapping";
import type { WebhookMessage } from "./webhook-message.ts";

/** Nobody waits any longer for the answer to an older message. */
const KEPT_MS = 7 * 86_400_000;

export class KeptMessages {
  readonly #database: DatabaseSync;
  readonly #platform: string;
  readonly #log: Log;

  constructor(database: DatabaseSync, platform: string, log: Log) {
    this.#database = database;
    this.#platform = platform;
    this.#log = log;
  }

  /** Stores all of them, or throws. One that is stored already stays as it is. */
  keep(messages: readonly WebhookMessage[]): void {
    const insert = this.#database.prepare(
      "INSERT OR IGNORE INTO arrived_messages (platform, message_id, message, arrived_at) VALUES (?, ?, ?, ?)",
    );
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const now = new Date().toISOString();
      for (const message of messages) insert.run(this.#platform, message.id, JSON.stringify(message), now);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Forgets a message that is done. Never throws: a row that stays is recognised at the next start. */
  forget(id: string): void {
    try {
      this.#database
        .prepare("DELETE FROM arrived_messages WHERE platform = ? AND message_id = ?")
        .run(this.#platform, id);
    } catch (error) {
      this.#log.warn(`${this.#platform}: a message that is done stays in state.db`, { problem: problemOf(error) });
    }
  }

  /** What an earlier run of the gateway left, in the order in which it arrived. Never throws. */
  left(): readonly WebhookMessage[] {
    try {
      const oldest = new Date(Date.now() - KEPT_MS).toISOString();
      this.#database
        .prepare("DELETE FROM arrived_messages WHERE platform = ? AND arrived_at < ?")
        .run(this.#platform, oldest);
      const rows = this.#database
        .prepare("SELECT message FROM arrived_messages WHERE platform = ? ORDER BY number")
        .all(this.#platform);
      return rows.map(({ message }) => parse(String(message))).filter((message) => message !== null);
    } catch (error) {
      this.#log.error(`${this.#platform}: messages of an earlier run cannot be read`, { problem: problemOf(error) });
      return [];
    }
  }
}

/** Null for a row that is damaged, or of another version of the program. */
function parse(text: string): WebhookMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    const isMessage =
      isMapping(message) && ["id", "user", "name", "words"].every((key) => typeof message[key] === "string");
    return isMessage ? (message as unknown as WebhookMessage) : null;
  } catch {
    // It is not JSON.
    return null;
  }
}
