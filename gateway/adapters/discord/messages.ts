/** Reads Discord's messages: who speaks to the bot, and what they say. */
import { MessageType } from "discord-api-types/v10";
import type { InboundMessage, MessageSource } from "#core/ports/platform";
import { isLoadable, withFiles, type SentFile } from "#gateway/adapters/shared/files";

interface DiscordUser {
  readonly id?: string;
  readonly username?: string;
  readonly global_name?: string | null;
  readonly bot?: boolean;
}

interface Attachment {
  readonly filename?: string;
  readonly content_type?: string;
  readonly size?: number;
  readonly url?: string;
}

/** The parts of Discord's `Message` that we read; the server may omit any of them. */
export interface DiscordMessage {
  readonly id?: string;
  readonly type?: MessageType;
  readonly channel_id?: string;
  readonly guild_id?: string;
  readonly content?: string;
  readonly author?: DiscordUser;
  readonly member?: { readonly nick?: string | null };
  readonly webhook_id?: string;
  readonly mentions?: readonly DiscordUser[];
  readonly mention_roles?: readonly string[];
  readonly attachments?: readonly Attachment[];
  readonly sticker_items?: readonly { readonly name?: string }[];
  readonly poll?: { readonly question?: { readonly text?: string } };
  readonly referenced_message?: DiscordMessage | null;
  /** The message that was forwarded. */
  readonly message_snapshots?: readonly { readonly message?: DiscordMessage }[];
}

/** A file that can be loaded as an image. */
export interface ImageFile {
  readonly url: string;
  readonly type: string;
}

export interface Words {
  readonly text: string;
  readonly unreadable?: string;
  readonly images: readonly ImageFile[];
}

const WITHOUT_WORDS = "I can't read messages of this kind. Please write to me.";
/** In a server, somebody has mentioned the bot and said nothing. */
const ONLY_MENTION = "Yes? Write what I should do, in the same message or as a reply to this one.";

/** True for a message that a user wrote, not a bot, a webhook or Discord itself. */
export function isFromUser({ author, webhook_id: webhook, type = MessageType.Default }: DiscordMessage): boolean {
  const isWritten = type === MessageType.Default || type === MessageType.Reply;
  return isWritten && webhook === undefined && author?.id !== undefined && author.bot !== true;
}

/** True when a message of a server mentions the bot or replies to it. */
export function isAddressed(message: DiscordMessage, botId: string): boolean {
  const { mentions = [], content = "", referenced_message: original } = message;
  if (mentions.some(({ id }) => id === botId)) return true;
  if (mentionsOf(botId).some((mention) => content.includes(mention))) return true;
  return original?.author?.id === botId;
}

/** What a message says: its text without the mention of the bot, and with notes on what comes with it. */
export function readWords(message: DiscordMessage, ownMentions: readonly string[]): Words {
  const forwarded = message.message_snapshots?.[0]?.message;
  const own = spoken(message, ownMentions);
  const quoted = forwarded === undefined ? "" : spoken(forwarded, []);
  const words = [own, quoted === "" ? "" : `(Forwarded:)\n${quoted}`].filter((part) => part !== "").join("\n\n");
  if (own.startsWith("/")) return { text: own, images: [] };
  const attachments = [...(message.attachments ?? []), ...(forwarded?.attachments ?? [])];
  const files = attachments.map(fileOf);
  const images = attachments.flatMap((one, index) =>
    one.url !== undefined && isLoadable(files[index]!) ? [{ url: one.url, type: files[index]!.type ?? "" }] : [],
  );
  const text = withFiles([words, ...notesOf(message)].filter((part) => part !== "").join("\n\n"), files);
  if (text !== "") return { text, images };
  const isDirect = message.guild_id === undefined;
  return { text: "", unreadable: isDirect ? WITHOUT_WORDS : ONLY_MENTION, images: [] };
}

/** The message of the gateway that Discord's message is. */
export function inboundMessage(message: DiscordMessage, source: MessageSource, words: Words, botId: string) {
  const { text, unreadable } = words;
  const isGroup = source.chat_type !== "dm";
  const reply = replyOf(message, botId);
  return {
    text,
    ...(unreadable === undefined ? {} : { unreadable }),
    ...(isGroup && unreadable === undefined ? { speaker: speakerOf(message) } : {}),
    ...(reply === null ? {} : { reply_to: reply }),
    source,
    message_id: message.id ?? "",
    internal: false,
  } satisfies InboundMessage;
}

/** The text as it is read: names instead of ids, and without the mentions of the bot. */
function spoken({ content = "", mentions = [] }: DiscordMessage, ownMentions: readonly string[]): string {
  let text = content;
  for (const own of ownMentions) text = text.replaceAll(`${own} `, "").replaceAll(own, "");
  for (const user of mentions) {
    for (const mention of mentionsOf(user.id ?? "")) text = text.replaceAll(mention, `@${shortName(user)}`);
  }
  // A custom emoji: <:name:id>, or <a:name:id> when it moves.
  return text.replaceAll(/<a?(:\w+:)\d+>/g, "$1").trim();
}

/** What comes with a message besides files, for the model. */
function notesOf({ sticker_items: stickers = [], poll }: DiscordMessage): readonly string[] {
  const names = stickers.map(({ name }) => oneLine(name ?? "without a name"));
  const question = poll?.question?.text;
  return [
    ...(names.length === 0 ? [] : [`(Sent as a sticker: ${names.join(", ")}.)`]),
    ...(question === undefined ? [] : [`(Sent with this message: a poll, "${oneLine(question)}".)`]),
  ];
}

function replyOf({ referenced_message: original }: DiscordMessage, botId: string) {
  if (original === undefined || original === null) return null;
  const text = spoken(original, []);
  if (text === "") return null;
  return { speaker: original.author?.id === botId ? "you" : speakerOf(original), text };
}

function speakerOf({ author = {}, member }: DiscordMessage): string {
  const name = member?.nick ?? author.global_name ?? "";
  const address = author.username === undefined ? "" : `@${author.username}`;
  if (name === "") return address === "" ? `user ${author.id ?? "unknown"}` : address;
  return address === "" ? name : `${name} (${address})`;
}

function shortName({ global_name: name, username, id = "" }: DiscordUser): string {
  return name ?? username ?? id;
}

function fileOf({ filename, content_type: type, size }: Attachment): SentFile {
  return { name: filename, type, bytes: size };
}

/** How a user is mentioned in a text. */
export function mentionsOf(id: string): readonly string[] {
  return [`<@${id}>`, `<@!${id}>`];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 200).toWellFormed();
}
