/** The threads that the gateway started: there, people need not mention the bot. */
import type { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";

/** The oldest ones are forgotten. */
const MOST_THREADS = 20_000;
const PRUNE_EVERY = 200;

export class StartedThreads {
  readonly #database: DatabaseSync;
  readonly #platform: string;
  readonly #log: Log;
  #noted = 0;

  constructor(database: DatabaseSync, platform: string, log: Log) {
    this.#database = database;
    this.#platform = platform;
    this.#log = log;
  }

  /** Remembers a thread of a chat. Never throws. */
  note(chat_id: string, thread_id: string): void {
    this.#attempt(() => {
      this.#database
        .prepare("INSERT OR IGNORE INTO started_threads (platform, chat_id, thread_id) VALUES (?, ?, ?)")
        .run(this.#platform, chat_id, thread_id);
      if (this.#noted++ % PRUNE_EVERY === 0) this.#prune();
    });
  }

  /** True for a thread that was noted. False while that cannot be read. Never throws. */
  has(chat_id: string, thread_id: string): boolean {
    const row = this.#attempt(() =>
      this.#database
        .prepare("SELECT 1 FROM started_threads WHERE platform = ? AND chat_id = ? AND thread_id = ?")
        .get(this.#platform, chat_id, thread_id),
    );
    return row !== undefined;
  }

  #prune(): void {
    this.#database
      .prepare(
        `DELETE FROM started_threads WHERE number <=
           (SELECT number FROM started_threads ORDER BY number DESC LIMIT 1 OFFSET ?)`,
      )
      .run(MOST_THREADS);
  }

  #attempt<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      this.#log.warn(`${this.#platform}: started threads cannot be kept in state.db`, { problem: problemOf(error) });
      return undefined;
    }
  }
}
