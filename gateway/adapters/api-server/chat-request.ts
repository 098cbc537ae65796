/** Reads the body of `POST /v1/chat/completions`. Unknown fields are ignored, as other servers of this API do. */
import type { IncomingHttpHeaders } from "node:http";
import type { ChatMessage, ChatToolCall } from "#core/messages";
import { isMapping } from "#core/mapping";
import { checkBody, readFlag, readHeaders, readName, type ApiRequest, type Fields } from "./api-request.ts";
import { readContent, readText } from "./content.ts";
import { badRequest } from "./problem.ts";

export interface ChatRequest extends ApiRequest {
  readonly includeUsage: boolean;
}

/** Throws a RequestProblem (400) that says which part of the body is wrong. */
export function readChatRequest(body: unknown, headers: IncomingHttpHeaders): ChatRequest {
  checkBody(body);
  const { messages, stream, stream_options: streamOptions, user } = body;
  if (!Array.isArray(messages) || messages.length === 0) throw badRequest("messages must be a list of messages.");
  const { session, idempotencyKey } = readHeaders(headers);
  const name = session ?? readName(user, "user");
  return {
    ...readConversation(messages, name === null),
    name,
    sessionId: session,
    stream: readFlag(stream, "stream"),
    includeUsage: isMapping(streamOptions) && readFlag(streamOptions["include_usage"], "stream_options.include_usage"),
    idempotencyKey,
  };
}

/** In a named conversation, only the last user message and the instructions are read. */
function readConversation(messages: readonly unknown[], isWhole: boolean) {
  const last = isWhole
    ? messages.length - 1
    : messages.findLastIndex((message) => isMapping(message) && message["role"] === "user");
  if (last === -1) throw badRequest("messages must contain a user message.");
  const message = messages[last];
  if (!isMapping(message) || message["role"] !== "user") {
    throw badRequest(`messages[${last}]: the last message must be a user message.`);
  }
  const { text, images } = readContent(message["content"], `messages[${last}].content`);
  if (text.trim() === "" && images.length === 0) throw badRequest(`messages[${last}].content is empty.`);
  const instructions = messages.flatMap((one, index) => readInstructions(one, index)).join("\n\n");
  return { text, images, instructions, history: isWhole ? readHistory(messages.slice(0, last)) : null };
}

function readInstructions(message: unknown, index: number): string[] {
  const { role, content } = isMapping(message) ? message : {};
  if (role !== "system" && role !== "developer") return [];
  const text = readText(content, `messages[${index}].content`);
  return text.trim() === "" ? [] : [text];
}

function readHistory(messages: readonly unknown[]): ChatMessage[] {
  const history: ChatMessage[] = [];
  for (const [index, message] of messages.entries()) {
    if (!isMapping(message)) throw badRequest(`messages[${index}] must be an object.`);
    history.push(...readMessage(message, index, history));
  }
  return history;
}

function readMessage(message: Fields, index: number, before: readonly ChatMessage[]): ChatMessage[] {
  const where = `messages[${index}].content`;
  switch (message["role"]) {
    case "system":
    case "developer":
      return [];
    case "user": {
      const { text, images } = readContent(message["content"], where);
      return [{ role: "user", content: text, ...(images.length === 0 ? {} : { images }) }];
    }
    case "assistant":
      return [readAssistant(message, index)];
    case "tool":
      return [{ role: "tool", content: readText(message["content"], where), tool_call_id: readCallId(message, index) }];
    case "function":
      return readFunctionResult(message, index, before);
    default:
      throw badRequest(`messages[${index}].role must be system, developer, user, assistant, tool or function.`);
  }
}

function readAssistant(message: Fields, index: number): ChatMessage {
  const { content, refusal, tool_calls: calls, function_call: call } = message;
  const said = content ?? refusal;
  const text = said === undefined || said === null ? null : readText(said, `messages[${index}].content`);
  if (isMapping(call)) {
    // The form of this API before it had several calls in a message, and ids.
    const named = { id: functionCallId(index), function: call };
    return { role: "assistant", content: text, tool_calls: [readCall(named, `messages[${index}].function_call`)] };
  }
  if (calls === undefined || calls === null) return { role: "assistant", content: text };
  if (!Array.isArray(calls)) throw badRequest(`messages[${index}].tool_calls must be a list.`);
  const read = calls.map((one: unknown, at) => readCall(one, `messages[${index}].tool_calls[${at}]`));
  return { role: "assistant", content: text, tool_calls: read };
}

function readCall(call: unknown, where: string): ChatToolCall {
  const { id, function: asked } = isMapping(call) ? call : {};
  const { name, arguments: args } = isMapping(asked) ? asked : {};
  if (typeof id !== "string" || typeof name !== "string" || typeof args !== "string") {
    throw badRequest(`${where} must have id, function.name and function.arguments.`);
  }
  return { id, type: "function", function: { name, arguments: args } };
}

/** Belongs to the call of that name before it; if there is none, a call is put before it, because models require one. */
function readFunctionResult(message: Fields, index: number, before: readonly ChatMessage[]): ChatMessage[] {
  const { name, content } = message;
  if (typeof name !== "string") throw badRequest(`messages[${index}].name must be the name of the function.`);
  const result = content === null ? "" : readText(content, `messages[${index}].content`);
  const last = before.at(-1);
  const call = last?.role === "assistant" ? last.tool_calls?.find((one) => one.function.name === name) : undefined;
  if (call !== undefined) return [{ role: "tool", content: result, tool_call_id: call.id }];
  const id = functionCallId(index);
  const missing: ChatToolCall = { id, type: "function", function: { name, arguments: "{}" } };
  return [
    { role: "assistant", content: null, tool_calls: [missing] },
    { role: "tool", content: result, tool_call_id: id },
  ];
}

function functionCallId(index: number): string {
  return `function_call_${index}`;
}

function readCallId({ tool_call_id: id }: Fields, index: number): string {
  if (typeof id !== "string") throw badRequest(`messages[${index}].tool_call_id must be a string.`);
  return id;
}
