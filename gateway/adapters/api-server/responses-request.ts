/** Reads the body of `POST /v1/responses`. Unknown fields are ignored, as other servers of this API do. */
import type { IncomingHttpHeaders } from "node:http";
import type { ChatMessage } from "#core/messages";
import { isMapping } from "#core/mapping";
import { checkBody, readFlag, readHeaders, readName, type ApiRequest, type Fields } from "./api-request.ts";
import { readContent, readText } from "./content.ts";
import { badRequest, RequestProblem } from "./problem.ts";
import { sessionOfId } from "./response-ids.ts";

export interface ResponsesRequest extends ApiRequest {
  /** What the response repeats. */
  readonly echo: {
    readonly instructions: string | null;
    readonly previous_response_id: string | null;
    readonly conversation: { readonly id: string } | null;
    readonly metadata: Fields;
  };
}

/** `isSession`: whether a session with this id exists. Throws a RequestProblem that says what is wrong. */
export function readResponsesRequest(
  body: unknown,
  headers: IncomingHttpHeaders,
  isSession: (id: string) => boolean,
): ResponsesRequest {
  checkBody(body);
  const { stream, user, metadata, previous_response_id: previous } = body;
  const instructions = body["instructions"] ?? null;
  if (instructions !== null && typeof instructions !== "string") throw badRequest("instructions must be a string.");
  const items = itemsOf(body["input"]);
  const { session, idempotencyKey } = readHeaders(headers);
  const conversation = readConversationName(body["conversation"]);
  const sessionId = session ?? previousSession(previous, isSession) ?? referredSession(items, isSession);
  const name = sessionId ?? conversation ?? readName(user, "user");
  return {
    ...readItems(items, instructions ?? "", name === null),
    name,
    sessionId,
    stream: readFlag(stream, "stream"),
    idempotencyKey,
    echo: {
      instructions,
      previous_response_id: typeof previous === "string" ? previous : null,
      conversation: conversation === null ? null : { id: conversation },
      metadata: isMapping(metadata) ? metadata : {},
    },
  };
}

function itemsOf(input: unknown): readonly unknown[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  if (Array.isArray(input) && input.length > 0) return input;
  throw badRequest("input must be a string or a list of items.");
}

function readConversationName(given: unknown): string | null {
  return readName(isMapping(given) ? given["id"] : given, "conversation");
}

function previousSession(previous: unknown, isSession: (id: string) => boolean): string | null {
  if (previous === undefined || previous === null) return null;
  const id = typeof previous === "string" ? sessionOfId(previous) : null;
  if (id !== null && isSession(id)) return id;
  throw new RequestProblem(400, "previous_response_not_found", "There is no response with this previous_response_id.");
}

/** Clients refer to earlier items of ours instead of sending them: then the session has the history. */
function referredSession(items: readonly unknown[], isSession: (id: string) => boolean): string | null {
  const last = items.findLast((item) => isMapping(item) && item["type"] === "item_reference");
  if (!isMapping(last)) return null;
  const id = typeof last["id"] === "string" ? sessionOfId(last["id"]) : null;
  if (id !== null && isSession(id)) return id;
  throw new RequestProblem(400, "item_not_found", "An item_reference names an item that hermes doesn't have.");
}

/** In a named conversation, only the last user message and the instructions are read. */
function readItems(items: readonly unknown[], given: string, isWhole: boolean) {
  const last = isWhole ? items.length - 1 : items.findLastIndex((item) => isMapping(item) && item["role"] === "user");
  const message = items[last];
  if (!isMapping(message) || message["role"] !== "user") {
    throw badRequest("The last item of input must be a user message.");
  }
  const { text, images } = readContent(message["content"], `input[${last}].content`);
  if (text.trim() === "" && images.length === 0) throw badRequest(`input[${last}].content is empty.`);
  const all = [given, ...items.map((item, index) => readInstructions(item, index))];
  return {
    text,
    images,
    instructions: all.filter((one) => one.trim() !== "").join("\n\n"),
    history: isWhole ? items.slice(0, last).flatMap((item, index) => readItem(item, index)) : null,
  };
}

function readInstructions(item: unknown, index: number): string {
  const { role, content } = isMapping(item) ? item : {};
  return role === "system" || role === "developer" ? readText(content, `input[${index}].content`) : "";
}

function readItem(item: unknown, index: number): ChatMessage[] {
  if (!isMapping(item)) throw badRequest(`input[${index}] must be an object.`);
  const { type = "message" } = item;
  if (type === "message") return readMessage(item, index);
  if (type === "function_call") return [readCall(item, index)];
  if (type === "function_call_output") return [readOutput(item, index)];
  // What a model thought is not ours to repeat.
  if (type === "reasoning") return [];
  throw badRequest(`input[${index}]: items of type "${String(type).slice(0, 50)}" are not supported.`);
}

function readMessage({ role, content }: Fields, index: number): ChatMessage[] {
  const where = `input[${index}].content`;
  if (role === "system" || role === "developer") return [];
  if (role === "assistant") return [{ role, content: readText(content, where) }];
  if (role !== "user") throw badRequest(`input[${index}].role must be system, developer, user or assistant.`);
  const { text, images } = readContent(content, where);
  return [{ role, content: text, ...(images.length === 0 ? {} : { images }) }];
}

function readCall({ call_id: id, name, arguments: args }: Fields, index: number): ChatMessage {
  if (typeof id !== "string" || typeof name !== "string" || typeof args !== "string") {
    throw badRequest(`input[${index}] must have call_id, name and arguments.`);
  }
  return {
    role: "assistant",
    content: null,
    tool_calls: [{ id, type: "function", function: { name, arguments: args } }],
  };
}

function readOutput({ call_id: id, output }: Fields, index: number): ChatMessage {
  if (typeof id !== "string") throw badRequest(`input[${index}].call_id must be a string.`);
  return { role: "tool", tool_call_id: id, content: readText(output, `input[${index}].output`) };
}
