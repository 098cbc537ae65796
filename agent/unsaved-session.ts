import type { ChatMessage } from "#core/messages";
import type { StoredMessage } from "#core/ports/agent";
import type { StoredSession } from "./session-tables.ts";

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
