/** Puts the events of a Chat Completions stream in order: what servers leave out or phrase their own way. */
import { isMapping } from "#core/mapping";
import { parseJson } from "#core/parse-json";
import { ThinkTags } from "./think-tags.ts";

type Fields = Record<string, unknown>;

/** Marks a piece whose reasoning was in the text, for the way back. */
export const TAGGED = "hermes_tagged";

/** The name of a call for which the model gave none. */
export const UNNAMED_CALL = "unnamed";

/**
 * Passes on the stream's lines. Arguments that are an object become text; the old `function_call` becomes a call; an error that is text becomes an object; a
 * stream that ends with `[DONE]` but without a reason gets one, if there was an answer; a call without a name gets
 * {@link UNNAMED_CALL}, because the provider's package would drop it silently. Reasoning between tags leaves the text.
 */
export async function* orderEvents(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const events = new ChatEvents();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) yield encoder.encode(lines.map((line) => `${events.take(line)}\n`).join(""));
  }
  rest += decoder.decode();
  yield encoder.encode(`${rest === "" ? "" : `${events.take(rest)}\n\n`}${events.finish()}`);
}

class ChatEvents {
  #last: Fields = {};
  #answered = false;
  #called = false;
  #ended = false;
  readonly #named = new Set<unknown>();
  readonly #unnamed = new Set<unknown>();
  readonly #tags = new ThinkTags();

  /** One line of the stream; returned as it is, unless something in it had to be put in order. */
  take(line: string): string {
    if (!line.startsWith("data:")) return line;
    const data = line.slice("data:".length).trim();
    if (data === "[DONE]") return this.finish() + this.#end() + line;
    const event = parse(data);
    if (event === undefined) return line;
    const chunk = orderChunk(event);
    this.#learn(chunk);
    const ordered = this.#splitText(chunk);
    return ordered === event ? line : `data: ${JSON.stringify(ordered)}`;
  }

  #learn(chunk: Fields): void {
    this.#last = chunk;
    for (const choice of listOf(chunk["choices"])) {
      if (choice["finish_reason"]) this.#ended = true;
      const delta = isMapping(choice["delta"]) ? choice["delta"] : {};
      for (const call of listOf(delta["tool_calls"])) this.#learnCall(call);
      if (["content", "reasoning_content", "reasoning", "refusal"].some((name) => delta[name])) this.#answered = true;
    }
  }

  #learnCall({ index, function: asked }: Fields): void {
    this.#called = true;
    if (isMapping(asked) && typeof asked["name"] === "string") {
      this.#named.add(index);
      this.#unnamed.delete(index);
    } else if (!this.#named.has(index)) this.#unnamed.add(index);
  }

  #splitText(chunk: Fields): Fields {
    const [choice, ...others] = listOf(chunk["choices"]);
    const { content, ...delta } = isMapping(choice?.["delta"]) ? choice["delta"] : {};
    const piece = typeof content === "string" ? content : "";
    const split = this.#tags.take(piece);
    const rest = choice?.["finish_reason"] ? this.#tags.end() : { reasoning: "", content: "" };
    const text = split.content + rest.content;
    const reasoning = split.reasoning + rest.reasoning;
    if (text === piece && reasoning === "") return chunk;
    return { ...chunk, choices: [{ ...choice, delta: { ...delta, ...toDelta(text, reasoning) } }, ...others] };
  }

  /** The events for what is still missing at the end of the stream: held text, names of calls. */
  finish(): string {
    const { content, reasoning } = this.#tags.end();
    const held = content === "" && reasoning === "" ? "" : this.#event(toDelta(content, reasoning), null);
    if (this.#unnamed.size === 0) return held;
    const tool_calls = [...this.#unnamed].map((index) => ({ index, function: { name: UNNAMED_CALL } }));
    this.#unnamed.clear();
    return held + this.#event({ tool_calls }, null);
  }

  #end(): string {
    if (this.#ended || !(this.#answered || this.#called)) return "";
    this.#ended = true;
    return this.#event({}, this.#called ? "tool_calls" : "stop");
  }

  #event(delta: object, finish_reason: string | null): string {
    const { id, object, created, model } = this.#last;
    return `data: ${JSON.stringify({ id, object, created, model, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  }
}

function toDelta(content: string, reasoning: string): Fields {
  return {
    ...(content === "" ? {} : { content }),
    ...(reasoning === "" ? {} : { reasoning_content: reasoning, [TAGGED]: true }),
  };
}

/** The same object if it is in order already. */
function orderChunk(chunk: Fields): Fields {
  if (typeof chunk["error"] === "string") return { ...chunk, error: { message: chunk["error"] } };
  const choices = listOf(chunk["choices"]);
  const ordered = choices.map(orderChoice);
  return ordered.every((choice, index) => choice === choices[index]) ? chunk : { ...chunk, choices: ordered };
}

function orderChoice(choice: Fields): Fields {
  const delta = choice["delta"] ?? choice["message"];
  if (!isMapping(delta)) return choice;
  const old = delta["function_call"];
  const calls = isMapping(old) ? [{ index: 0, type: "function", function: old }] : listOf(delta["tool_calls"]);
  const ordered = calls.map(orderCall);
  const same = !isMapping(old) && delta === choice["delta"] && ordered.every((call, index) => call === calls[index]);
  if (same) return choice;
  return { ...choice, delta: { ...delta, ...(calls.length === 0 ? {} : { tool_calls: ordered }) } };
}

function orderCall(call: Fields): Fields {
  const asked = call["function"];
  if (!isMapping(asked)) return call;
  const { name, arguments: args } = asked;
  const isObject = typeof args === "object" && args !== null;
  const isBlank = typeof name === "string" && name.trim() === "";
  if (!isObject && !isBlank) return call;
  const ordered: Fields = isObject ? { ...asked, arguments: JSON.stringify(args) } : { ...asked };
  if (isBlank) delete ordered["name"];
  return { ...call, function: ordered };
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isMapping) : [];
}

function parse(text: string): Fields | undefined {
  // The provider's package reports what is no JSON.
  const value = parseJson(text);
  return isMapping(value) ? value : undefined;
}
