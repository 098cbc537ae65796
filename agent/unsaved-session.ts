import type { ChatMessage } from "#core/messages";
import type { StoredMessage } from "#core/ports/agent";
import type { SessionTables, StoredSession } from "./session-tables.ts";

export interface NewSession {
  readonly platform: string;
  /** Who started it: `chat`, `delegate`, a task's name, … */
  readonly source: string;
  readonly key?: string | null;
  readonly parent?: string | null;
  readonly title?: string | null;
  /** The folder that a conversation on a terminal starts in. */
  readonly cwd?: string | null;
}

/** A session that has no messages yet. */
export function newSession(id: string, { platform, source, key, parent, title, cwd }: NewSession): StoredSession {
  const now = new Date().toISOString();
  return {
    id,
    key: key ?? null,
    platform,
    source,
    parent: parent ?? null,
    title: title ?? null,
    cwd: cwd ?? null,
    model: null,
    created_at: now,
    updated_at: now,
    started_at: null,
    message_count: 0,
  };
}

/** A session that could not be written and stays in memory until it can be. */
export interface Unsaved {
  session: StoredSession;
  messages: ChatMessage[];
}

/** Its messages; in memory, positions are indexes. */
export function numbered({ session, messages }: Unsaved): StoredMessage[] {
  return messages.map((message, position) => ({ position, created_at: session.created_at, message }));
}

/** The session as it is after a change. */
export function touched({ session, messages }: Unsaved): StoredSession {
  return { ...session, updated_at: new Date().toISOString(), message_count: messages.length };
}

/** What can still be read of a session that can no longer be written. */
export function readOrBegin(
  id: string,
  tables: Pick<SessionTables, "get" | "history">,
  report: (error: unknown) => void,
): Unsaved {
  try {
    const session = tables.get(id);
    if (session !== undefined) return { session, messages: tables.history(id) };
  } catch (error) {
    report(error);
  }
  return { session: newSession(id, { platform: "cli", source: "chat" }), messages: [] };
}
