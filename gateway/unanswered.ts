/** Remembers messages of chats until they are answered, so that users learn of answers that a crash cut off. */
import type { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { MessageSource } from "#core/ports/platform";
import { isAlive, processStartOf } from "#core/process-identity";
import type { OutboundMessage } from "./outbox-table.ts";

const LONGEST_QUOTE = 60;
/** Nobody waits any longer for the answer to an older message. */
const KEPT_MS = 7 * 86_400_000;

interface Row extends Omit<OutboundMessage, "session_id"> {
  readonly id: number;
  readonly pid: number;
  readonly process_start: string | null;
  readonly received_at: string;
}

export class UnansweredMessages {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #start = processStartOf(process.pid);

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** Remembers a message; the returned function forgets it. Neither throws. */
  add({ platform, chat_id, thread_id }: MessageSource, text: string): () => void {
    const id = this.#attempt(() => {
      const { lastInsertRowid } = this.#database
        .prepare(
          `INSERT INTO unanswered_messages (platform, chat_id, thread_id, text, pid, process_start, received_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(platform, chat_id, thread_id, quoteOf(text), process.pid, this.#start, new Date().toISOString());
      return Number(lastInsertRowid);
    });
    let isForgotten = id === undefined;
    return () => {
      if (isForgotten) return;
      isForgotten = true;
      this.#attempt(() => this.#delete(id!));
    };
  }

  /** Takes the messages whose process has ended: what to tell their chats, once. Never throws. */
  takeLeft(): readonly OutboundMessage[] {
    const rows = this.#attempt(() => this.#database.prepare("SELECT * FROM unanswered_messages ORDER BY id").all());
    const left = ((rows ?? []) as unknown as Row[]).filter(({ pid, process_start: start }) => !isAlive(pid, start));
    for (const { id } of left) this.#attempt(() => this.#delete(id));
    return left
      .filter(({ received_at: at }) => Date.now() - Date.parse(at) < KEPT_MS)
      .map(({ platform, chat_id, thread_id, text }) => {
        const notice = `The answer to "${text}" was cut off; send it again.`;
        return { platform, chat_id, thread_id, session_id: "", text: notice };
      });
  }

  #delete(id: number): void {
    this.#database.prepare("DELETE FROM unanswered_messages WHERE id = ?").run(id);
  }

  #attempt<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      this.#log.warn("unanswered messages cannot be recorded in state.db", { problem: problemOf(error) });
      return undefined;
    }
  }
}

function quoteOf(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  if (line === "") return "your message";
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE).toWellFormed()}…` : line;
}
