/** Recognises the conversations of clients that send all earlier messages with every request. */
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ChatMessage } from "#core/messages";

/** A request with the earlier messages of its conversation. */
export interface ClientRequest {
  /** The conversation's key: requests with different keys never share a session. */
  readonly key: string;
  readonly history: readonly ChatMessage[];
  /** The new message. */
  readonly message: ChatMessage;
}

/**
 * A session that may be this request's: it `continues` after the request's history, the request `repeats` its last
 * message, or `replaces` it.
 */
export interface KnownSession {
  readonly session_id: string;
  readonly how: "continues" | "repeats" | "replaces";
}

interface Row {
  readonly session_id: string;
  /** What the client's messages were before the session's last turn, and with its message. */
  readonly before: string;
  readonly after: string;
}

const MOST_CANDIDATES = 200;
const MOST_IN_MEMORY = 1000;

/**
 * Keeps a fingerprint of the client's messages for each session, because what a session stores may differ: it has tool
 * calls that the client never saw, and texts that hooks rewrote. Kept in `state.db`, or in memory while that is not
 * writable. Never throws.
 */
export class ClientHistories {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #inMemory = new BoundedMap<string, Row>(MOST_IN_MEMORY);

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** The sessions that may be this request's, best ones first. */
  find(request: ClientRequest): readonly KnownSession[] {
    const { before, after } = fingerprints(request);
    const rows = [...this.#inMemory.values()].toReversed().concat(this.#stored(before, after));
    const by = (how: KnownSession["how"], matches: (row: Row) => boolean) =>
      rows.filter(matches).map(({ session_id }): KnownSession => ({ session_id, how }));
    return [
      ...by("continues", (row) => row.after === before),
      ...by("repeats", (row) => row.before === before && row.after === after),
      ...by("replaces", (row) => row.before === before && row.after !== after),
    ];
  }

  /** The session runs the request's message now. */
  put(session_id: string, request: ClientRequest): void {
    const row = { session_id, ...fingerprints(request) };
    try {
      this.#database
        .prepare("INSERT OR REPLACE INTO client_histories (session_id, before, after) VALUES (?, ?, ?)")
        .run(row.session_id, row.before, row.after);
      this.#inMemory.delete(session_id);
    } catch (error) {
      this.#log.warn("a client's conversation cannot be recorded in state.db", { problem: problemOf(error) });
      this.#inMemory.set(session_id, row);
    }
  }

  #stored(before: string, after: string): Row[] {
    try {
      return this.#database
        .prepare(
          `SELECT session_id, before, after FROM client_histories
           WHERE after IN (?1, ?2) OR before = ?1 ORDER BY rowid DESC LIMIT ?3`,
        )
        .all(before, after, MOST_CANDIDATES) as unknown as Row[];
    } catch (error) {
      this.#log.warn("clients' conversations cannot be read from state.db", { problem: problemOf(error) });
      return [];
    }
  }
}

/** Only the user's messages: clients shorten or drop answers, and show text before tool calls as a part of them. */
function fingerprints({ key, history, message }: ClientRequest): { before: string; after: string } {
  const hash = createHash("sha256").update(key);
  for (const one of history) if (one.role === "user") hash.update(textOf(one));
  const before = hash.copy().digest("base64");
  return { before, after: hash.update(textOf(message)).digest("base64") };
}

function textOf(message: ChatMessage): string {
  return `\n${JSON.stringify([message.content, message.role === "user" ? (message.images ?? []) : []])}`;
}
