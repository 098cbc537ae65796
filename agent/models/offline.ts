/** The model that needs no network and no key: it carries out what a small grammar finds in the user's message. */
import { yieldToEventLoop } from "#core/event-loop";
import type {
  CallOptions,
  Content,
  FinishReason,
  LanguageModelV4,
  PromptMessage,
  StreamPart,
  Usage,
} from "./language-model.ts";
import { parseOfflineMessage, type PlannedStep } from "./offline-grammar.ts";

export const OFFLINE_MODEL_ID = "offline";

/** What the runner passes to the offline model in addition to the prompt, in `providerOptions.hermes`. */
export interface OfflineHints {
  /** The user's own message of this turn, without anything that hooks added. */
  readonly words: readonly string[];
  /** How many answers with calls the model has given in this turn. */
  readonly step: number;
  /** How many calls those answers had. */
  readonly calls: number;
  /** True until the session has its first answer. */
  readonly first_answer: boolean;
  /** The summary to answer with, when the request asks for one. */
  readonly summary?: string;
}

const INTRODUCTION =
  "(This is the offline model: it needs no key and understands a few fixed phrases only. For a real model, set " +
  "OPENAI_API_KEY, ANTHROPIC_API_KEY or OPENROUTER_API_KEY, or run hermes model, which writes config.yaml.)";

const EXCERPT_LENGTH = 200;

/** The answer to one request. */
export interface Answer {
  readonly content: readonly Content[];
  readonly finishReason: FinishReason;
  readonly usage: Usage;
}

/** Creates the offline model. It is deterministic and stateless. */
export function createOfflineModel(): LanguageModelV4 {
  return createAnsweringModel(OFFLINE_MODEL_ID, answerTo);
}

/**
 * A model whose answers a function gives. As with a model on the network, other work goes on between a request, its
 * answer, and the parts of a stream.
 */
export function createAnsweringModel(modelId: string, answer: (options: CallOptions) => Answer): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "offline",
    modelId,
    supportedUrls: {},
    async doGenerate(options) {
      await yieldToEventLoop();
      options.abortSignal?.throwIfAborted();
      const given = answer(options);
      return { ...given, content: [...given.content], warnings: [] };
    },
    async doStream(options) {
      await yieldToEventLoop();
      options.abortSignal?.throwIfAborted();
      return { stream: streamOf(answer(options), options.abortSignal) };
    },
  };
}

function answerTo(options: CallOptions): Answer {
  const hints = readHints(options);
  const names = (options.tools ?? []).map(({ name }) => name);
  const plan = hints.words.flatMap((words) => parseOfflineMessage(words, names));
  const step = names.length > 0 ? plan[hints.step] : undefined;
  const content =
    step === undefined
      ? [{ type: "text" as const, text: textOf(options, hints) }]
      : callsOf(step, resultsIn(options.prompt).length);
  return {
    content,
    finishReason: step === undefined ? { unified: "stop", raw: "stop" } : { unified: "tool-calls", raw: "tool_calls" },
    usage: usageOf(JSON.stringify(options.prompt).length, JSON.stringify(content).length),
  };
}

function callsOf(step: PlannedStep, before: number): Content[] {
  return step.map(({ tool, input }, index) => ({
    type: "tool-call",
    toolCallId: `call_${before + index + 1}`,
    toolName: tool,
    input,
  }));
}

function textOf({ prompt }: CallOptions, hints: OfflineHints): string {
  if (hints.summary !== undefined) return hints.summary;
  const results = hints.calls === 0 ? [] : resultsIn(prompt).slice(-hints.calls);
  if (results.length === 0) {
    const echo = lastUserText(prompt);
    return hints.first_answer ? `${echo}\n\n${INTRODUCTION}` : echo;
  }
  const report = results.map(({ tool, text }) => `${tool} returned ${excerpt(text)}`).join("; ");
  return `${report}.${hints.first_answer ? ` ${INTRODUCTION}` : ""}`;
}

function resultsIn(prompt: readonly PromptMessage[]): { tool: string; text: string }[] {
  return prompt.flatMap((message) =>
    message.role !== "tool"
      ? []
      : message.content.flatMap((part) =>
          part.type === "tool-result" && part.output.type === "text"
            ? [{ tool: part.toolName, text: part.output.value }]
            : [],
        ),
  );
}

function lastUserText(prompt: readonly PromptMessage[]): string {
  const message = prompt.findLast(({ role }) => role === "user");
  if (message?.role !== "user") return "";
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** The beginning of a result, on one line. */
function excerpt(text: string): string {
  const line = text
    .slice(0, EXCERPT_LENGTH * 2)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > EXCERPT_LENGTH || text.length > EXCERPT_LENGTH * 2 ? `${line.slice(0, EXCERPT_LENGTH)}…` : line;
}

/** Four characters for a token. */
export function usageOf(input: number, output: number): Usage {
  const [inputTokens, outputTokens] = [Math.ceil(input / 4), Math.ceil(output / 4)];
  return {
    inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: outputTokens, text: outputTokens, reasoning: 0 },
  };
}

function readHints({ providerOptions, prompt }: CallOptions): OfflineHints {
  const hints = providerOptions?.["hermes"] as unknown as OfflineHints | undefined;
  return hints ?? { words: [lastUserText(prompt)], step: 0, calls: 0, first_answer: false };
}

/** The answer as a stream, its text in chunks of a few words, created as they are read. */
function streamOf(answer: Answer, signal: AbortSignal | undefined): ReadableStream<StreamPart> {
  const parts = partsOf(answer);
  return new ReadableStream({
    async pull(controller) {
      await yieldToEventLoop();
      if (signal?.aborted) return controller.error(signal.reason);
      const { value, done } = parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

function* partsOf({ content, finishReason, usage }: Answer): Generator<StreamPart, undefined> {
  yield { type: "stream-start", warnings: [] };
  yield { type: "response-metadata", modelId: OFFLINE_MODEL_ID };
  for (const part of content) {
    if (part.type === "tool-call") yield part;
    if (part.type !== "text") continue;
    yield { type: "text-start", id: "text" };
    for (const [delta] of part.text.matchAll(/[^]{1,40}(?:\s+|$)|[^]{40}/g)) {
      yield { type: "text-delta", id: "text", delta };
    }
    yield { type: "text-end", id: "text" };
  }
  yield { type: "finish", usage, finishReason };
  return undefined;
}
