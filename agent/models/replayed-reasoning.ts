/** Reasoning over Chat Completions: servers differ in its name, and most want it back as they gave it. */
import { isMapping } from "#core/mapping";
import { TAGGED } from "./chat-events.ts";

type Fields = Record<string, unknown>;

/** What a message with reasoning is marked with until {@link replayReasoning}. */
interface Marks {
  /** Where it was, if not in `reasoning_content`. */
  place?: "reasoning" | "text";
  /** OpenRouter's form, with signatures. */
  details?: Fields[];
}

const KEY = "openaiCompatible";

/** Notes in which form a server gives reasoning, for `@ai-sdk/openai-compatible`. */
export const reasoningForms = {
  extractMetadata: async () => undefined,
  createStreamExtractor() {
    let place: Marks["place"];
    const details: Fields[] = [];
    return {
      processChunk(chunk: unknown) {
        const delta = deltaOf(chunk);
        if (typeof delta["reasoning"] === "string" && delta["reasoning_content"] === undefined) place = "reasoning";
        if (delta[TAGGED] === true) place = "text";
        if (Array.isArray(delta["reasoning_details"])) {
          for (const detail of delta["reasoning_details"]) if (isMapping(detail)) addDetail(details, detail);
        }
      },
      buildMetadata() {
        if (place === undefined && details.length === 0) return undefined;
        const marks = { ...(place === undefined ? {} : { place }), ...(details.length === 0 ? {} : { details }) };
        return { [KEY]: { hermes_reasoning: marks as never } };
      },
    };
  },
};

function deltaOf(chunk: unknown): Fields {
  const choices = isMapping(chunk) ? chunk["choices"] : undefined;
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const delta = isMapping(choice) ? choice["delta"] : undefined;
  return isMapping(delta) ? delta : {};
}

/** Pieces of one text are joined; whatever else a later piece has, such as the signature, is added. */
function addDetail(details: Fields[], detail: Fields): void {
  const last = details.at(-1);
  const key = ["text", "summary"].find((name) => typeof detail[name] === "string" || typeof last?.[name] === "string");
  const same = last !== undefined && last["type"] === detail["type"] && last["index"] === detail["index"];
  if (last === undefined || !same || key === undefined) return void details.push({ ...detail });
  const text = `${textOf(last[key])}${textOf(detail[key])}`;
  for (const [name, value] of Object.entries(detail)) if (value !== null && value !== undefined) last[name] = value;
  last[key] = text;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/**
 * Gives reasoning the form in which it came. A model that reasons gets the field with each of its steps with calls,
 * because servers refuse a step without it even if the model gave none.
 */
export function replayReasoning(body: Record<string, unknown>): Record<string, unknown> {
  const messages = body["messages"];
  if (!Array.isArray(messages)) return body;
  const replayed = messages.map((message: unknown) => (isMapping(message) ? giveForm(message) : message));
  const reasons = replayed.some((message) => isMapping(message) && typeof message["reasoning_content"] === "string");
  return { ...body, messages: reasons ? replayed.map(addEmptyReasoning) : replayed };
}

function giveForm(message: Fields): Fields {
  const { hermes_reasoning: marks, reasoning_content: reasoning, ...rest } = message;
  const { place, details } = (marks ?? {}) as Marks;
  if (details !== undefined) return { ...rest, reasoning_details: details };
  if (reasoning === undefined) return rest;
  if (place === "text")
    return { ...rest, content: `<think>${textOf(reasoning)}</think>\n\n${textOf(rest["content"])}` };
  return { ...rest, [place ?? "reasoning_content"]: reasoning };
}

/**
 * The request for a second try, if its reasoning may be why the server refused it, else undefined. Some servers require
 * the field on the steps of other models, too; signatures do not survive a change of the server.
 */
export function afterRefusal(body: unknown, refusal: string): string | undefined {
  if (typeof body !== "string" || !/reasoning|thinking|thought|signature/i.test(refusal)) return undefined;
  const request: unknown = JSON.parse(body);
  if (!isMapping(request) || !Array.isArray(request["messages"])) return undefined;
  const attempts = [refusal.includes("reasoning_content") ? addEmptyReasoning : withoutReasoning, withoutReasoning];
  return attempts
    .map((change) => JSON.stringify({ ...request, messages: (request["messages"] as unknown[]).map(change) }))
    .find((again) => again !== body);
}

/** An assistant's message without what only its own server understands. */
function withoutReasoning(message: unknown): unknown {
  if (!isMapping(message) || message["role"] !== "assistant") return message;
  const { reasoning_content: _text, reasoning: _other, reasoning_details: _details, ...rest } = message;
  if (!Array.isArray(rest["content"])) return rest;
  const isThought = (part: unknown) => isMapping(part) && /^(redacted_)?thinking$/.test(String(part["type"]));
  return { ...rest, content: rest["content"].filter((part) => !isThought(part)) };
}

/** Adds the field to an answer with calls that has none. */
function addEmptyReasoning(message: unknown): unknown {
  if (!isMapping(message) || message["role"] !== "assistant" || !Array.isArray(message["tool_calls"])) return message;
  return { reasoning_content: "", ...message };
}
