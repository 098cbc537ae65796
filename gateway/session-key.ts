/** Decides which messages belong to one conversation. */
import type { MessageSource } from "#core/ports/platform";

/** Who shares a conversation. */
export interface Sharing {
  /** One conversation per user in a group; true when absent. */
  readonly group_sessions_per_user?: boolean | undefined;
  /** One conversation per user in a thread; false when absent. */
  readonly thread_sessions_per_user?: boolean | undefined;
}

/**
 * The key of a message's conversation, `agent:main:<platform>:<chat_type>[:<chat_id>][:<thread_id>][:<user_id>]`: a
 * direct message by its chat (and thread), a group by user, a thread shared by its users. A thread of a group has the
 * chat type `thread` whatever the platform calls it, so that thread 5 and user 5 of a group are two conversations; a
 * colon inside an id is written `%3A`. Two sources have the same key only if they share a conversation.
 */
export function sessionKey(source: MessageSource, sharing: Sharing): string {
  const { platform, chat_type, chat_id, user_id } = source;
  const thread = source.thread_id ?? "";
  if (chat_type === "dm") return join([platform, chat_type, chat_id, thread]);
  if (chat_type === "thread" || thread !== "") {
    const user = sharing.thread_sessions_per_user === true ? user_id : "";
    return join([platform, "thread", chat_id, thread, user]);
  }
  const user = sharing.group_sessions_per_user === false ? "" : user_id;
  return join([platform, chat_type, chat_id, user]);
}

/** The beginnings of the keys of a chat's conversations. */
export function chatKeys(platform: string, chat_id: string): readonly string[] {
  return ["dm", "group", "thread"].map((chat_type) => join([platform, chat_type, chat_id]));
}

/** The parts without trailing empty ones. An empty part in the middle is kept, so that positions do not shift. */
function join(parts: readonly string[]): string {
  const last = parts.findLastIndex((part) => part !== "");
  return ["agent:main", ...parts.slice(0, last + 1).map(escape)].join(":");
}

function escape(part: string): string {
  return part.replaceAll("%", "%25").replaceAll(":", "%3A");
}
