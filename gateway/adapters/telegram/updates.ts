/** Extracts messages for the bot from Telegram's updates. */
import type { InboundMessage, MessageSource } from "#core/ports/platform";

/** The parts of Telegram's `Message` that we read; the server may omit any of them. */
interface TelegramMessage {
  readonly message_id?: number;
  readonly message_thread_id?: number;
  readonly is_topic_message?: boolean;
  readonly text?: string;
  readonly caption?: string;
  readonly chat?: { readonly id?: number; readonly type?: string; readonly is_forum?: boolean };
  readonly from?: { readonly id?: number; readonly is_bot?: boolean };
  /** Set when a channel or a group is the sender instead of a user. */
  readonly sender_chat?: unknown;
}

/** A command for a bot by its name: `/new@MyBot`. */
const ADDRESSED = /^\/([A-Za-z0-9_]+)@([A-Za-z0-9_]+)(?=\s|$)/;

/**
 * The message of an update, or null: for edits, channel posts, messages of bots and channels, pictures without a
 * caption, and commands for another bot. This bot's name is removed from its commands.
 */
export function messageFrom(update: unknown, botName: string | null): InboundMessage | null {
  const { message } = (update ?? {}) as { message?: TelegramMessage };
  if (typeof message !== "object" || message === null) return null;
  const { chat, from, message_id: id, sender_chat: speaker } = message;
  if (chat?.id === undefined || from?.id === undefined || id === undefined) return null;
  if (from.is_bot === true || speaker !== undefined) return null;
  const text = message.text ?? message.caption;
  if (typeof text !== "string" || text === "") return null;
  const source = sourceOf(message);
  const words = withoutName(text, botName);
  if (source === null || words === null) return null;
  return { text: words, source, message_id: `${chat.id}:${id}`, internal: false };
}

function sourceOf(message: TelegramMessage): MessageSource | null {
  const { type } = message.chat ?? {};
  if (type !== "private" && type !== "group" && type !== "supergroup") return null;
  const thread = topicOf(message);
  return {
    platform: "telegram",
    chat_type: type === "private" ? "dm" : thread === null ? "group" : "thread",
    chat_id: String(message.chat?.id),
    user_id: String(message.from?.id),
    thread_id: thread,
  };
}

/** Outside forums, a thread id only tells which message was replied to. */
function topicOf({ message_thread_id: id, is_topic_message: isTopic, chat }: TelegramMessage): string | null {
  if (id === undefined || (isTopic !== true && chat?.is_forum !== true)) return null;
  return String(id);
}

/** Null for a command addressed to another bot. */
function withoutName(text: string, botName: string | null): string | null {
  const [addressed, command, name] = ADDRESSED.exec(text) ?? [];
  if (addressed === undefined || botName === null) return text;
  if (name?.toLowerCase() !== botName.toLowerCase()) return null;
  return `/${command}${text.slice(addressed.length)}`;
}

/** The update's number, or null when it is not an update. */
export function updateId(update: unknown): number | null {
  const { update_id: id } = (update ?? {}) as { update_id?: unknown };
  return typeof id === "number" && Number.isSafeInteger(id) ? id : null;
}
