/** Validates messages of adapters: a plugin's adapter may pass anything. */
import { HermesError } from "#core/errors";
import type { ChatImage, ChatMessage } from "#core/messages";
import type { InboundMessage, MessageSource, Reply } from "#core/ports/platform";
import { isMapping } from "#core/mapping";

/** Maximum size of a message, in bytes of UTF-8. */
export const LONGEST_MESSAGE = 1024 * 1024;
/** Maximum length of an id, since ids become keys and rows. */
const LONGEST_ID = 1024;
/** Maximum size of a message's images in total, in characters of base64. */
export const LARGEST_IMAGES = 8 * 1024 * 1024;

export interface Unreadable {
  readonly problem: string;
}

/**
 * A private copy of the message with its ids as strings. `platform` is the name of the adapter, whatever the message
 * says. Without `needsChat` the chat is optional. Never throws.
 */
export function readInboundMessage(given: unknown, platform: string, needsChat: boolean): InboundMessage | Unreadable {
  try {
    return read(given, platform, needsChat);
  } catch (error) {
    // A getter of the adapter's object threw an error.
    return { problem: `reading it failed (${error instanceof Error ? error.message : "unknown error"})` };
  }
}

function read(given: unknown, platform: string, needsChat: boolean): InboundMessage | Unreadable {
  if (!isMapping(given)) return { problem: "it is not an object" };
  const { text, images, source: from, message_id, internal, speaker, reply_to: reply, unreadable } = given;
  if (typeof text !== "string") return { problem: 'its "text" is not a string' };
  if (images !== undefined && !isImages(images)) return { problem: 'its "images" are not valid images' };
  if (!isMapping(from)) return { problem: 'it has no "source"' };
  const ids = {
    chat_type: idOf(from["chat_type"]),
    chat_id: idOf(from["chat_id"]),
    user_id: idOf(from["user_id"]),
    thread_id: idOf(from["thread_id"]),
    message_id: idOf(message_id),
  };
  for (const [name, id] of Object.entries(ids)) {
    if (id === undefined) return { problem: `its "${name}" is not a valid id` };
  }
  const { chat_type, chat_id, user_id, thread_id } = ids as Record<keyof typeof ids, string>;
  if (chat_type === "") return { problem: 'its source has no "chat_type"' };
  if (needsChat && chat_id === "") return { problem: 'its source has no "chat_id"' };
  const source: MessageSource = { platform, chat_type, chat_id, user_id, thread_id: thread_id || null };
  return {
    text,
    ...(images === undefined || images.length === 0 ? {} : { images }),
    ...(typeof speaker === "string" ? { speaker } : {}),
    ...(isMapping(reply) && typeof reply["text"] === "string"
      ? { reply_to: { speaker: String(reply["speaker"]), text: reply["text"] } }
      : {}),
    ...(typeof unreadable === "string" && unreadable !== "" ? { unreadable } : {}),
    source,
    message_id: ids.message_id ?? "",
    internal: internal === true,
  };
}

function isImages(given: unknown): given is readonly ChatImage[] {
  if (!Array.isArray(given)) return false;
  let size = 0;
  for (const image of given) {
    if (!isMapping(image) || typeof image["data"] !== "string") return false;
    if (!/^image\/[\w.+-]+$/.test(String(image["media_type"]))) return false;
    size += image["data"].length;
  }
  return size <= LARGEST_IMAGES;
}

const ROLES: ReadonlySet<unknown> = new Set(["system", "user", "assistant", "tool"]);

/** What a request says about its conversation. */
export type RequestContext = Pick<Reply, "history" | "instructions" | "session_id">;

/** Reads it from an adapter's reply. Throws HERMES_MESSAGE_INVALID when it is malformed. */
export function readRequestContext(reply: Reply | undefined): RequestContext {
  if (!isMapping(reply)) return {};
  const given = readHistory(reply["history"]);
  const { session_id } = reply;
  const instructions = [reply["instructions"], ...(given ?? []).filter(isSystem).map(({ content }) => content)]
    .filter((text) => typeof text === "string" && text !== "")
    .join("\n\n");
  return {
    ...(given === undefined ? {} : { history: given.filter((message) => !isSystem(message)) }),
    ...(instructions === "" ? {} : { instructions }),
    ...(typeof session_id === "string" ? { session_id } : {}),
  };
}

/** Models take instructions from one place only. */
function isSystem({ role }: ChatMessage): boolean {
  return role === "system";
}

function readHistory(given: unknown): readonly ChatMessage[] | undefined {
  if (given === undefined || given === null) return undefined;
  if (Array.isArray(given) && given.every((one) => isMapping(one) && ROLES.has(one["role"]))) {
    return given as readonly ChatMessage[];
  }
  throw new HermesError("HERMES_MESSAGE_INVALID", { problem: "its history is not a list of messages" });
}

/** An id as a string, since platforms number their chats. Undefined when it is invalid. */
export function idOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") return undefined;
  const id = String(value);
  return id.length > LONGEST_ID ? undefined : id;
}

/** A user's message as sessions store it. */
export function userMessage(content: string, images: readonly ChatImage[] | undefined): ChatMessage {
  return { role: "user", content, ...(images === undefined ? {} : { images }) };
}
