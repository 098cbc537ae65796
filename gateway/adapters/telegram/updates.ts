/** Extracts messages for the bot from Telegram's updates. */
import type { InboundMessage, MessageSource } from "#core/ports/platform";
import { attachmentOf, sentenceOf, withAttachment, type Attachments } from "./attachments.ts";

interface TelegramUser {
  readonly id?: number;
  readonly is_bot?: boolean;
  readonly first_name?: string;
  readonly last_name?: string;
  readonly username?: string;
}

/** The parts of Telegram's `Message` that we read; the server may omit any of them. */
interface TelegramMessage extends Attachments {
  readonly message_id?: number;
  readonly message_thread_id?: number;
  readonly is_topic_message?: boolean;
  readonly text?: string;
  readonly caption?: string;
  readonly chat?: { readonly id?: number; readonly type?: string; readonly is_forum?: boolean };
  readonly from?: TelegramUser;
  /** Set when a channel or a group is the sender instead of a user. */
  readonly sender_chat?: { readonly title?: string };
  readonly reply_to_message?: TelegramMessage;
  /** The part of the message that was replied to. */
  readonly quote?: { readonly text?: string };
  /** Set in the last message of a group that became a supergroup, with another id. */
  readonly migrate_to_chat_id?: number;
}

/** A command for a bot by its name: `/new@MyBot`. */
const ADDRESSED = /^\/([A-Za-z0-9_]+)@([A-Za-z0-9_]+)(?=\s|$)/;

/**
 * The message of an update, or null: for edits, channel posts, messages of bots and channels, what nobody expects an
 * answer to (a sticker; in a group, a picture without a caption), and commands for another bot. This bot's name is
 * removed from its commands.
 */
export function messageFrom(update: unknown, botName: string | null): InboundMessage | null {
  const message = messageOf(update);
  if (message === null) return null;
  const { chat, from, message_id: id, sender_chat: speaker } = message;
  if (chat?.id === undefined || from?.id === undefined || id === undefined) return null;
  if (from.is_bot === true || speaker !== undefined) return null;
  const source = sourceOf(message);
  const content = contentOf(message, botName);
  if (source === null || content === null) return null;
  const isGroup = source.chat_type !== "dm";
  const reply = replyOf(message, botName);
  return {
    ...content,
    ...(isGroup && content.unreadable === undefined ? { speaker: nameOf(from) } : {}),
    ...(reply === null ? {} : { reply_to: reply }),
    source,
    message_id: `${chat.id}:${id}`,
    internal: false,
  };
}

/** The parts of Telegram's `CallbackQuery` that we read: the press of a button. */
interface CallbackQuery {
  readonly id?: string;
  readonly from?: TelegramUser;
  /** The message with the button; of one that is very old, only the chat and the id. */
  readonly message?: TelegramMessage;
  readonly data?: string;
}

/**
 * The press of a button in an update: its id, and the message that it is of the user who pressed; null for other updates.
 * Apps can send any text as the data of a button, so it may do no more than a message of the same user.
 */
export function pressOf(update: unknown): { readonly id: string; readonly message: InboundMessage | null } | null {
  const { callback_query: query } = (update ?? {}) as { callback_query?: CallbackQuery | null };
  if (typeof query?.id !== "string") return null;
  const { id, from, message, data } = query;
  if (message === undefined || from?.id === undefined || from.is_bot === true) return { id, message: null };
  const source = sourceOf({ ...message, from });
  if (source === null) return { id, message: null };
  if (typeof data !== "string" || data === "") return { id, message: null };
  const speaker = source.chat_type === "dm" ? {} : { speaker: nameOf(from) };
  return { id, message: { text: data, ...speaker, source, message_id: `press:${id}`, internal: false } };
}

/** The old and the new id of a group that became a supergroup; null for other updates. */
export function migrationOf(update: unknown): { readonly from: string; readonly to: string } | null {
  const { chat, migrate_to_chat_id: to } = messageOf(update) ?? {};
  return chat?.id === undefined || to === undefined ? null : { from: String(chat.id), to: String(to) };
}

/** The id of the file of an update's image; null for none. */
export function imageOf(update: unknown): string | null {
  const attachment = attachmentOf(messageOf(update) ?? {});
  return attachment?.kind === "image" ? attachment.fileId : null;
}

function messageOf(update: unknown): TelegramMessage | null {
  const { message } = (update ?? {}) as { message?: TelegramMessage };
  return typeof message === "object" ? message : null;
}

/** The words of a message; without words, the sentence that answers it. */
function contentOf(
  message: TelegramMessage,
  botName: string | null,
): Pick<InboundMessage, "text" | "unreadable"> | null {
  const text = message.text ?? message.caption;
  const attachment = attachmentOf(message);
  if (typeof text === "string" && text !== "") {
    const words = withoutName(text, botName);
    if (words === null || attachment === null || words.startsWith("/")) return words === null ? null : { text: words };
    return { text: withAttachment(words, attachment) };
  }
  // In a group, not every picture is for the bot; of an album, only the first message has the caption.
  if (attachment === null || message.chat?.type !== "private" || message.media_group_id !== undefined) return null;
  return { text: "", unreadable: sentenceOf(attachment) };
}

function replyOf({ reply_to_message: original, quote }: TelegramMessage, botName: string | null) {
  const text = quote?.text ?? original?.text ?? original?.caption;
  if (typeof text !== "string" || text === "") return null;
  const { from = {}, sender_chat: chat } = original ?? {};
  const isBot = from.is_bot === true && botName !== null && from.username?.toLowerCase() === botName.toLowerCase();
  return { speaker: isBot ? "you" : (chat?.title ?? nameOf(from)), text };
}

function nameOf({ id, first_name: first, last_name: last, username }: TelegramUser): string {
  const name = [first, last].filter(Boolean).join(" ");
  const address = username === undefined ? "" : `@${username}`;
  if (name === "") return address === "" ? `user ${id ?? "unknown"}` : address;
  return address === "" ? name : `${name} (${address})`;
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
