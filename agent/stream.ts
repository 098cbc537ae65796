/** One request to the model: one `streamText` call, whose tools have no `execute` because we run every call ourselves. */
import type { ModelMessage, ToolSet } from "ai";
import { isHermesError } from "#core/errors";
import type { Tool } from "#core/ports/agent";
import { isMapping } from "#core/mapping";
import type { ModelReply, ProviderData } from "#core/messages";
import { modelFailureFrom, streamCut } from "./model-failure.ts";
import { ModelFailure } from "./models/failure.ts";
import { replyOf, type AnswerPart } from "./model-reply.ts";
import type { OfflineHints } from "./models/offline.ts";
import type { SelectedModel } from "./models/select.ts";

export interface ModelRequest {
  readonly selected: SelectedModel;
  readonly instructions: string;
  readonly messages: ModelMessage[];
  readonly tools: readonly Tool[];
  /** True for a request that the model must not answer with calls. */
  readonly wordsOnly: boolean;
  readonly hints: OfflineHints;
  readonly signal: AbortSignal;
  /** Takes the model's text and its reasoning as they arrive. */
  readonly onDelta: (kind: "text" | "reasoning", delta: string) => void;
}

/** A requested tool call: by the model, by a child agent's model, or by the user. */
export interface AskedCall {
  readonly id: string;
  readonly tool: string;
  /** The arguments; `{"_raw": text}` when they are not a JSON object. */
  readonly args: Readonly<Record<string, unknown>>;
  /** What is wrong with the arguments even before the schema check, else null. */
  readonly problem: string | null;
}

export interface ModelAnswer {
  readonly text: string;
  /** True if the model reasoned, whether or not it answered. */
  readonly reasoned: boolean;
  /** What the answer must go back with, if anything. */
  readonly reply: ModelReply | undefined;
  readonly calls: readonly AskedCall[];
  readonly finishReason: string;
  readonly responseModel: string;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/** Asks the model once, without retries. Rejects with a {@link ModelFailure}, or with the signal's reason. */
export async function askModel(request: ModelRequest): Promise<ModelAnswer> {
  const { selected, signal } = request;
  const { streamText } = await loadPackage();
  const collected = new Collected(selected);
  try {
    const { stream } = streamText({
      model: selected.model,
      instructions: request.instructions,
      messages: request.messages,
      maxRetries: 0,
      abortSignal: signal,
      onStepEnd: ({ content, providerMetadata }) => collected.takeStep(content, providerMetadata),
      onError: () => {
        // The failure also arrives as a part of the stream; without this the package prints it.
      },
      ...(request.tools.length === 0 ? {} : { tools: await toToolSet(request.tools) }),
      ...(request.wordsOnly ? { toolChoice: "none" as const } : {}),
      ...(selected.provider === "offline"
        ? { providerOptions: { hermes: { ...request.hints, words: [...request.hints.words] } } }
        : {}),
    });
    for await (const part of stream) {
      signal.throwIfAborted();
      if (part.type === "text-delta") request.onDelta("text", part.text);
      if (part.type === "reasoning-delta" && part.text !== "") request.onDelta("reasoning", part.text);
      collected.take(part as StreamPart);
    }
    signal.throwIfAborted();
    return collected.finish();
  } catch (thrown) {
    signal.throwIfAborted();
    if (isHermesError(thrown) || thrown instanceof ModelFailure) throw thrown;
    throw modelFailureFrom(thrown, collected.streamed, selected);
  }
}

/** The parts of the stream that are used here, without the package's generics. */
type StreamPart =
  | { type: "text-delta" | "reasoning-delta"; text: string }
  | { type: "tool-input-start" | "tool-input-delta" }
  | { type: "tool-call"; toolCallId: string; toolName: string; input: unknown; invalid?: boolean }
  | { type: "error"; error: unknown }
  | {
      type: "finish-step";
      finishReason: string;
      usage: { inputTokens: number | undefined; outputTokens: number | undefined };
      response: { modelId: string };
    }
  | { type: "start" };

class Collected {
  /** True once any part of the answer has arrived: a retry would repeat it. */
  streamed = false;
  #text = "";
  #reasoned = false;
  #reply: ModelReply | undefined;
  readonly #calls: AskedCall[] = [];
  #end: Extract<StreamPart, { type: "finish-step" }> | undefined;
  readonly #model: SelectedModel;

  constructor(model: SelectedModel) {
    this.#model = model;
  }

  take(part: StreamPart): void {
    if (part.type === "error") throw modelFailureFrom(part.error, this.streamed, this.#model);
    if (part.type === "finish-step") this.#end = part;
    if (part.type === "text-delta") this.#text += part.text;
    if (part.type === "reasoning-delta") this.#reasoned = true;
    if (part.type === "tool-call") this.#calls.push(toAskedCall(part));
    if (STREAMED.has(part.type)) this.streamed = true;
  }

  /** Takes the whole answer, with what belongs to its parts. */
  takeStep(content: readonly AnswerPart[], data: ProviderData | undefined): void {
    this.#reply = replyOf(this.#model, content, data);
  }

  finish(): ModelAnswer {
    const end = this.#end;
    if (end === undefined || end.finishReason === "interrupted") throw streamCut(this.streamed);
    if (end.finishReason === "error")
      throw modelFailureFrom(new Error("the stream ended with an error"), this.streamed, this.#model);
    return {
      text: this.#text,
      reasoned: this.#reasoned,
      reply: this.#reply,
      calls: end.finishReason === "length" ? this.#calls.map(tellCut) : this.#calls,
      finishReason: end.finishReason,
      responseModel: end.response.modelId || this.#model.id,
      usage: { input_tokens: end.usage.inputTokens ?? 0, output_tokens: end.usage.outputTokens ?? 0 },
    };
  }
}

const STREAMED: ReadonlySet<string> = new Set(["text-delta", "reasoning-delta", "tool-input-start", "tool-call"]);

/** Arguments that are not a JSON object still become a call, so that the gate sees it. */
function toAskedCall({ toolCallId, toolName, input }: Extract<StreamPart, { type: "tool-call" }>): AskedCall {
  if (isMapping(input)) return { id: toolCallId, tool: toolName, args: input, problem: null };
  const raw = typeof input === "string" ? input : (JSON.stringify(input) ?? "");
  return { id: toolCallId, tool: toolName, args: { _raw: raw }, problem: "the arguments are not a JSON object" };
}

/** A call whose arguments broke off because the answer did. */
function tellCut(call: AskedCall): AskedCall {
  if (call.problem === null) return call;
  return { ...call, problem: "the call was cut off at the model's length limit" };
}

async function toToolSet(tools: readonly Tool[]): Promise<ToolSet> {
  const { jsonSchema, tool } = await loadPackage();
  return Object.fromEntries(
    tools.map(({ name, description, parameters }) => [
      name,
      // No validator: arguments are checked after the gate.
      tool({ description, inputSchema: jsonSchema<Record<string, unknown>>({ ...parameters }) }),
    ]),
  );
}

async function loadPackage() {
  // Its warnings would be printed to the console, into the conversation.
  (globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;
  return import("ai");
}
