/** Answers that are one document, although a stream was requested. */
import { isMapping } from "#core/mapping";
import { parseJson } from "#core/parse-json";
import { truncate } from "#core/truncate";
import { isRetryableStatus, ModelFailure } from "./failure.ts";

/** The API that a provider's package speaks. */
export type Dialect = "openai" | "anthropic";

type Fields = Record<string, unknown>;

const LONGEST_EXCERPT = 200;
/** Errors without a status that may pass. */
const TEMPORARY = /overload|rate.?limit|unavailable|timed?.?out|try again/i;

/** The document as the events of a stream. Throws a {@link ModelFailure} with the server's words if it is no answer. */
export function readDocument(text: string, dialect: Dialect): string {
  const document = parseJson(text);
  const said = isMapping(document) ? wordsOf(document) : undefined;
  if (said !== undefined) throw said;
  const events = isMapping(document) ? EVENTS[dialect](document) : undefined;
  if (events === undefined) throw noAnswer(text);
  return events;
}

const EVENTS: Readonly<Record<Dialect, (document: Fields) => string | undefined>> = {
  openai(document) {
    if (!Array.isArray(document["choices"]) || document["choices"].length === 0) return undefined;
    const choices = document["choices"].map((choice: unknown) => (isMapping(choice) ? toDelta(choice) : choice));
    const chunk = { ...document, object: "chat.completion.chunk", choices };
    return `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
  },
  anthropic(document) {
    const { content, usage, stop_reason = null, stop_sequence = null } = document;
    if (document["type"] !== "message" || !Array.isArray(content)) return undefined;
    const begun = { ...document, content: [], stop_reason: null, stop_sequence: null };
    return [
      { type: "message_start", message: begun },
      ...content.flatMap(toBlockEvents),
      { type: "message_delta", delta: { stop_reason, stop_sequence }, usage },
      { type: "message_stop" },
    ]
      .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join("");
  },
};

function toDelta({ message, ...choice }: Fields): Fields {
  if (!isMapping(message)) return choice;
  const calls = message["tool_calls"];
  if (!Array.isArray(calls)) return { finish_reason: "stop", ...choice, delta: message };
  const tool_calls = calls.map((call: unknown, index) => (isMapping(call) ? { index, ...call } : call));
  return { finish_reason: "tool_calls", ...choice, delta: { ...message, tool_calls } };
}

/** Anthropic's blocks begin empty, and their content comes in deltas. */
function toBlockEvents(block: unknown, index: number): { type: string }[] {
  if (!isMapping(block)) return [];
  const { text, thinking, signature, input } = block;
  const start = { ...block };
  const deltas: Fields[] = [];
  if (block["type"] === "text") deltas.push({ type: "text_delta", text });
  if (block["type"] === "thinking") deltas.push({ type: "thinking_delta", thinking });
  if (signature !== undefined) deltas.push({ type: "signature_delta", signature });
  if (block["type"] === "tool_use")
    deltas.push({ type: "input_json_delta", partial_json: JSON.stringify(input ?? {}) });
  if (text !== undefined) start["text"] = "";
  if (thinking !== undefined) Object.assign(start, { thinking: "", signature: "" });
  if (input !== undefined) start["input"] = {};
  return [
    { type: "content_block_start", index, content_block: start } as { type: string },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index } as { type: string },
  ];
}

/** The error that a document reports, whatever its status. */
function wordsOf(document: Fields): ModelFailure | undefined {
  const { error, detail, message } = document;
  if (error === undefined || error === null) {
    const words = [detail, message].find((value) => typeof value === "string");
    return words === undefined || "choices" in document ? undefined : refusal(words, undefined);
  }
  if (!isMapping(error)) return refusal(typeof error === "string" ? error : JSON.stringify(error), undefined);
  const words = typeof error["message"] === "string" ? error["message"] : JSON.stringify(error);
  return refusal(words, error["code"] ?? error["status"] ?? error["type"]);
}

function refusal(words: string, code: unknown): ModelFailure {
  const status = Number(code);
  return new ModelFailure({
    problem: `the server said: ${truncate(words.replaceAll(/\s+/g, " "), 2 * LONGEST_EXCERPT)}`,
    statusCode: null,
    retryable: isRetryableStatus(status) || TEMPORARY.test(`${String(code)} ${words}`),
    retryAfterMs: null,
    kind: "refused",
  });
}

function noAnswer(text: string): ModelFailure {
  const what = text.trimStart().startsWith("<") ? "a web page" : `no answer of a model, but ${excerpt(text)}`;
  const fields = { statusCode: null, retryable: false, retryAfterMs: null, kind: "odd" } as const;
  return new ModelFailure({ problem: `the server sent ${what}`, ...fields });
}

function excerpt(text: string): string {
  return truncate(text.replaceAll(/\s+/g, " ").trim(), LONGEST_EXCERPT);
}
