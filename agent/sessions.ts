/** Stores conversations in `state.db` (CONTRACT §1 and §3), and in memory when the disk is full. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import { HermesError, problemOf } from "#core/errors";
import type { ChatMessage } from "#core/messages";
import type { StoredMessage } from "#core/ports/agent";
import { chooseId, mayBeginId } from "#core/short-id";
import { withoutCompacted } from "./compaction.ts";
import { startsTurn } from "./history.ts";
import { compareSessionIds, compareTimes, createSessionId } from "./session-id.ts";
import { isConversation, SessionTables, type StoredSession } from "./session-tables.ts";
import { SessionUsage } from "./session-usage.ts";
import { newSession, numbered, readOrBegin, touched, type NewSession, type Unsaved } from "./unsaved-session.ts";

export type { StoredSession } from "./session-tables.ts";

const SESSION_ID = /^\w{1,64}$/;
/** How many ids the message about an ambiguous one lists. */
const MOST_CANDIDATES = 10;
/** The search for the last conversation begins with so many: most often it is among the first few of thousands. */
const FIRST_LOOK = 20;

/** A session in the format of `hermes sessions export`. */
export interface ExportedSession extends StoredSession {
  readonly messages: readonly ChatMessage[];
}

/**
 * The sessions of one home. A failed write does not throw: the session continues in memory, `onWriteFailure` is called
 * once, and each later write tries to save what is missing. Reading a damaged file, and a failed `delete`, throw
 * HERMES_STATE_UNAVAILABLE.
 */
export class SqliteSessions {
  readonly usage: SessionUsage;
  readonly #database: DatabaseSync;
  readonly #tables: SessionTables;
  readonly #onWriteFailure: (error: unknown) => void;
  readonly #unsaved = new Map<string, Unsaved>();
  #reported = false;

  constructor(database: DatabaseSync, onWriteFailure: (error: unknown) => void) {
    this.#database = database;
    this.#tables = new SessionTables(database);
    this.#onWriteFailure = onWriteFailure;
    this.usage = new SessionUsage(database, (error) => this.#report(error));
  }

  create(options: NewSession): StoredSession {
    const session = newSession(createSessionId(), options);
    this.#write(
      session.id,
      () => this.#tables.putSession(session),
      () => ({ session, messages: [] }),
    );
    return session;
  }

  get(id: string): StoredSession | undefined {
    return this.#unsaved.get(id)?.session ?? this.#attempt(() => this.#tables.get(id));
  }

  /**
   * The session that a person means: an id, or an unambiguous beginning of one. Throws HERMES_SESSION_UNKNOWN, and
   * HERMES_ID_AMBIGUOUS.
   */
  named(written: string): StoredSession {
    const exact = this.get(written);
    if (exact !== undefined) return exact;
    const id = mayBeginId(written, SESSION_ID) ? chooseId(written, this.#idsStartingWith(written)) : undefined;
    const session = id === undefined ? undefined : this.get(id);
    if (session === undefined) throw new HermesError("HERMES_SESSION_UNKNOWN", { session: written });
    return session;
  }

  /** The last conversation of a user (no child agent's, no plugin's own) that had a turn; with `cwd`, of that folder. */
  latest(platform: string, cwd?: string): StoredSession | undefined {
    const isWanted = (session: StoredSession) => isConversation(session) && (cwd ?? session.cwd) === session.cwd;
    return this.list({ platform, limit: FIRST_LOOK }).find(isWanted) ?? this.list({ platform }).find(isWanted);
  }

  /** The session with this key that was created last, even if another one was used later. */
  byKey(key: string): StoredSession | undefined {
    const stored = this.#attempt(() => this.#tables.newestWith(key));
    const kept = [...this.#unsaved.values()].map(({ session }) => session).filter((session) => session.key === key);
    return [...(stored === undefined || this.#unsaved.has(stored.id) ? [] : [stored]), ...kept]
      .toSorted((a, b) => compareTimes(a.created_at, b.created_at) || compareSessionIds(a.id, b.id))
      .at(-1);
  }

  /** Renames the key `from`, and keys that begin with it and a colon. Throws HERMES_STATE_UNAVAILABLE. */
  moveKeys(from: string, to: string): void {
    this.#attempt(() => this.#tables.moveKeys(from, to));
  }

  /** Sessions, most recently used first; those of child agents only with `children`. */
  list(options: { platform?: string; key?: string; children?: boolean; limit?: number } = {}): StoredSession[] {
    const kept = [...this.#unsaved.values()]
      .map(({ session }) => session)
      .filter(
        (session) =>
          (options.platform ?? session.platform) === session.platform &&
          (options.key === undefined || options.key === session.key) &&
          (options.children === true || session.parent === null),
      );
    const stored = this.#attempt(() => this.#tables.list(options)).filter(({ id }) => !this.#unsaved.has(id));
    return [...kept, ...stored]
      .toSorted((a, b) => compareTimes(b.updated_at, a.updated_at) || compareSessionIds(b.id, a.id))
      .slice(0, options.limit);
  }

  /** Sets the session's title; null removes it. */
  rename(id: string, title: string | null): void {
    this.#change(
      id,
      () => this.#tables.setColumn(id, "title", title),
      (kept) => {
        kept.session = { ...kept.session, title };
      },
    );
  }

  /** Records the last model that the session used. */
  setModel(id: string, model: string): void {
    this.#change(
      id,
      () => this.#tables.setColumn(id, "model", model),
      (kept) => {
        kept.session = { ...kept.session, model };
      },
    );
  }

  /** Records that the session's first turn has started. */
  markStarted(id: string): void {
    const now = new Date().toISOString();
    this.#change(
      id,
      () => this.#tables.setColumn(id, "started_at", now),
      (kept) => {
        kept.session = { ...kept.session, started_at: now };
      },
    );
  }

  /** Adds a complete message. It is handed to the system before this returns, so that a kill does not lose it. */
  append(id: string, message: ChatMessage): void {
    this.#change(
      id,
      () => this.#tables.append(id, message),
      (kept) => {
        kept.messages.push(message);
      },
    );
  }

  /** The session's messages as stored. */
  history(id: string): ChatMessage[] {
    const kept = this.#unsaved.get(id);
    return kept === undefined ? this.#attempt(() => this.#tables.history(id)) : [...kept.messages];
  }

  /** The messages that the model gets of a session ({@link withoutCompacted}). */
  activeHistory(id: string): ChatMessage[] {
    const kept = this.#unsaved.get(id);
    return kept === undefined ? this.#attempt(() => this.#tables.activeHistory(id)) : withoutCompacted(kept.messages);
  }

  /** The session's messages from a position on. */
  messagesFrom(id: string, position: number): StoredMessage[] {
    const kept = this.#unsaved.get(id);
    if (kept === undefined) return this.#attempt(() => this.#tables.historyFrom(id, position));
    return numbered(kept).slice(position);
  }

  /** Keeps the first `length` messages only. */
  truncate(id: string, length: number): void {
    this.#change(
      id,
      () => this.#tables.truncate(id, length),
      (kept) => {
        kept.messages.length = Math.min(kept.messages.length, length);
      },
    );
  }

  /** Removes the last turn (`/undo`, `/retry`). Returns its user message, or null when there is no turn. */
  undo(id: string): string | null {
    const messages = this.history(id);
    const start = messages.findLastIndex(startsTurn);
    if (start === -1) return null;
    this.truncate(id, start);
    return messages[start]?.content ?? null;
  }

  /** The session with its messages, or undefined when there is none. */
  export(id: string): ExportedSession | undefined {
    const session = this.get(id);
    return session && { ...session, messages: this.history(id) };
  }

  /** How many sessions of its child agents a session has, at every depth. */
  children(id: string): number {
    const count = this.#attempt(() => this.#tables.children(id));
    return Math.max(0, count);
  }

  /** Deletes a session and the sessions of its child agents. False when there was none. */
  delete(id: string): boolean {
    const kept = this.#unsaved.delete(id);
    return this.#attempt(() => transaction(this.#database, () => this.#tables.delete(id))) > 0 || kept;
  }

  /** Deletes a session that ended without a message, unless it belongs to a conversation with a key. */
  deleteEmpty(id: string): void {
    if (this.#unsaved.get(id)?.messages.length === 0) this.#unsaved.delete(id);
    try {
      transaction(this.#database, () => this.#tables.deleteEmpty(id));
    } catch (error) {
      this.#report(error);
    }
  }

  /**
   * Deletes sessions that were not used for this many days, and those without messages that a process left a day ago or
   * earlier; 0 keeps all. Returns how many were deleted.
   */
  prune(days: number): number {
    if (days <= 0) return 0;
    const before = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();
    const deleteOld = () => this.#tables.deleteEmptyBefore(before(1)) + this.#tables.deleteBefore(before(days));
    try {
      return transaction(this.#database, deleteOld);
    } catch (error) {
      this.#report(error);
      return 0;
    }
  }

  #idsStartingWith(beginning: string): string[] {
    const kept = [...this.#unsaved.keys()].filter((id) => id.startsWith(beginning));
    return [...new Set([...kept, ...this.#attempt(() => this.#tables.idsStartingWith(beginning, MOST_CANDIDATES))])];
  }

  #attempt<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      const file = this.#database.location() ?? "state.db";
      throw new HermesError("HERMES_STATE_UNAVAILABLE", { file, problem: problemOf(error) }, { cause: error });
    }
  }

  /** Changes a session in the file or, if it is not there, in memory, and then tries to save it. */
  #change(id: string, write: () => void, inMemory: (kept: Unsaved) => void): void {
    const kept = this.#unsaved.get(id);
    if (kept !== undefined) {
      inMemory(kept);
      kept.session = touched(kept);
      this.#save(id, kept);
      return;
    }
    this.#write(id, write, () => {
      const rescued = readOrBegin(id, this.#tables, (error) => this.#report(error));
      inMemory(rescued);
      rescued.session = touched(rescued);
      return rescued;
    });
  }

  #write(id: string, write: () => void, otherwise: () => Unsaved): void {
    try {
      transaction(this.#database, write);
    } catch (error) {
      this.#report(error);
      this.#unsaved.set(id, otherwise());
    }
  }

  #save(id: string, { session, messages }: Unsaved): void {
    try {
      transaction(this.#database, () => {
        this.#tables.putSession(session);
        this.#tables.truncate(id, 0);
        for (const message of messages) this.#tables.append(id, message);
      });
      this.#unsaved.delete(id);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#onWriteFailure(error);
  }
}
