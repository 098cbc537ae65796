/** The SQL of the outbox. Every method throws what SQLite throws. */
import type { DatabaseSync } from "node:sqlite";

/** A text for a chat. */
export interface OutboundMessage {
  readonly platform: string;
  readonly chat_id: string;
  readonly thread_id: string | null;
  /** The conversation it belongs to; empty for none. */
  readonly session_id: string;
  readonly text: string;
}

/** A stored text. `attempts` counts the attempts without a known refusal by the platform. */
export interface StoredOutboundMessage extends OutboundMessage {
  readonly id: number;
  readonly created_at: string;
  readonly attempts: number;
}

export class OutboxTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Returns the row's number. */
  add({ session_id, platform, chat_id, thread_id, text }: OutboundMessage, created_at: string): number {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO outbox (session_id, platform, chat_id, thread_id, text, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(session_id, platform, chat_id, thread_id, text, created_at);
    return Number(lastInsertRowid);
  }

  /** Texts that are not known to have arrived, oldest first. */
  unsent(): StoredOutboundMessage[] {
    return this.#database
      .prepare(
        `SELECT id, session_id, platform, chat_id, thread_id, text, created_at, attempts
         FROM outbox WHERE sent_at IS NULL ORDER BY id`,
      )
      .all() as unknown as StoredOutboundMessage[];
  }

  setAttempts(id: number, attempts: number): void {
    this.#database.prepare("UPDATE outbox SET attempts = ? WHERE id = ?").run(attempts, id);
  }

  markSent(id: number, at: string): void {
    this.#database.prepare("UPDATE outbox SET sent_at = ? WHERE id = ?").run(at, id);
  }

  remove(id: number): void {
    this.#database.prepare("DELETE FROM outbox WHERE id = ?").run(id);
  }

  /** Deletes texts that were sent before a time. */
  prune(before: string): void {
    this.#database.prepare("DELETE FROM outbox WHERE sent_at < ?").run(before);
  }
}
