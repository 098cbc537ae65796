/** Reads the body of `POST /v1/chat/completions`. Unknown fields are ignored, as other servers of this API do. */
import type { IncomingHttpHeaders } from "node:http";
import type { ChatMessage, ChatToolCall } from "#core/messages";
import { isMapping } from "#core/mapping";
import { isDeeperThan } from "#core/untrusted-json";
import { headerText } from "./header-text.ts";
import { badRequest } from "./problem.ts";

/** A request for an answer. */
export interface ChatRequest {
  /** The user's message. */
  readonly text: string;
  /** The conversation's name, or null: then the request's own messages are the whole conversation. */
  readonly name: string | null;
  /** The earlier messages; null for a named conversation, whose history we store. */
  readonly history: readonly ChatMessage[] | null;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** The client's own id of the request: sending it twice is one message. */
  readonly idempotencyKey: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const LONGEST_NAME = 200;
const DEEPEST = 64;
/** No control characters and no lone surrogates, because the name appears in logs, keys and events. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/** Throws a RequestProblem (400) that says which part of the body is wrong. */
export function readChatRequest(body: unknown, headers: IncomingHttpHeaders): ChatRequest {
  if (!isMapping(body)) throw badRequest("The body must be a JSON object.");
  if (isDeeperThan(body, DEEPEST)) throw badRequest(`The body is nested deeper than ${DEEPEST} levels.`);
  const { messages, stream, stream_options: streamOptions, user } = body;
  if (!Array.isArray(messages) || messages.length === 0) throw badRequest("messages must be a list of messages.");
  const name = readName(headerText(headers["x-hermes-session-id"]), "X-Hermes-Session-Id") ?? readName(user, "user");
  return {
    ...(name === null ? readConversation(messages) : { text: readLastWords(messages), history: null }),
    name,
    stream: readFlag(stream, "stream"),
    includeUsage: isMapping(streamOptions) && readFlag(streamOptions["include_usage"], "stream_options.include_usage"),
    idempotencyKey: readName(headerText(headers["idempotency-key"]), "Idempotency-Key"),
  };
}

/** An empty name means none, because clients send their default. */
function readName(value: unknown, where: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw badRequest(`${where} must be a string.`);
  const name = value.trim();
  if (name.length > LONGEST_NAME) throw badRequest(`${where} is longer than ${LONGEST_NAME} characters.`);
  if (name !== "" && !PRINTABLE.test(name)) throw badRequest(`${where} must only contain printable characters.`);
  return name === "" ? null : name;
}

function readFlag(value: unknown, where: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw badRequest(`${where} must be true or false.`);
  return value;
}

/** With a name, only the last message is used; the client's copy of the conversation is ignored. */
function readLastWords(messages: readonly unknown[]): string {
  const index = messages.findLastIndex((message) => isMapping(message) && message["role"] === "user");
  if (index === -1) throw badRequest("messages must contain a user message.");
  return readWords(messages[index] as Fields, index);
}

function readConversation(messages: readonly unknown[]): { text: string; history: ChatMessage[] } {
  const last = messages.length - 1;
  const message = messages[last];
  if (!isMapping(message) || message["role"] !== "user") {
    throw badRequest(`messages[${last}]: the last message must be a user message.`);
  }
  return { text: readWords(message, last), history: messages.slice(0, last).map(readMessage) };
}

function readWords(message: Fields, index: number): string {
  const text = readContent(message["content"], index);
  if (text.trim() === "") throw badRequest(`messages[${index}].content is empty.`);
  return text;
}

function readMessage(message: unknown, index: number): ChatMessage {
  if (!isMapping(message)) throw badRequest(`messages[${index}] must be an object.`);
  const { role, content } = message;
  switch (role) {
    case "system":
    case "developer":
      return { role: "system", content: readContent(content, index) };
    case "user":
      return { role: "user", content: readContent(content, index) };
    case "assistant":
      return readAssistant(message, index);
    case "tool":
      return { role: "tool", content: readContent(content, index), tool_call_id: readCallId(message, index) };
    default:
      throw badRequest(`messages[${index}].role must be system, developer, user, assistant or tool.`);
  }
}

function readAssistant({ content, tool_calls: calls }: Fields, index: number): ChatMessage {
  const text = content === undefined || content === null ? null : readContent(content, index);
  if (calls === undefined || calls === null) return { role: "assistant", content: text };
  if (!Array.isArray(calls)) throw badRequest(`messages[${index}].tool_calls must be a list.`);
  return { role: "assistant", content: text, tool_calls: calls.map((call, at) => readCall(call, index, at)) };
}

function readCall(call: unknown, index: number, at: number): ChatToolCall {
  const { id, function: asked } = isMapping(call) ? call : {};
  const { name, arguments: args } = isMapping(asked) ? asked : {};
  if (typeof id !== "string" || typeof name !== "string" || typeof args !== "string") {
    throw badRequest(`messages[${index}].tool_calls[${at}] must have id, function.name and function.arguments.`);
  }
  return { id, type: "function", function: { name, arguments: args } };
}

function readCallId({ tool_call_id: id }: Fields, index: number): string {
  if (typeof id !== "string") throw badRequest(`messages[${index}].tool_call_id must be a string.`);
  return id;
}

/** A string, or a list of text parts, which are joined. */
function readContent(content: unknown, index: number): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw badRequest(`messages[${index}].content must be a string or a list of text parts.`);
  return content.map((part, at) => readPart(part, `messages[${index}].content[${at}]`)).join("");
}

function readPart(part: unknown, where: string): string {
  const { type, text } = isMapping(part) ? part : {};
  if (type === "text" && typeof text === "string") return text;
  const kind = typeof type === "string" ? ` of type "${type.slice(0, 50)}"` : "";
  throw badRequest(`${where}: parts${kind} are not supported; use {"type": "text", "text": …}.`);
}
