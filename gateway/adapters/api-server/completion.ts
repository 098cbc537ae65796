/** The answer in OpenAI's format: `chat.completion`, and `chat.completion.chunk` for streams. */

/** What every part of an answer repeats. */
export interface CompletionHead {
  /** `chatcmpl-…` */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

/** `length`: the turn reached its limit of model requests. */
export type CompletionFinishReason = "stop" | "length";

export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function usageOf(inputTokens: number, outputTokens: number): CompletionUsage {
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}

export function completion(
  head: CompletionHead,
  content: string,
  finishReason: CompletionFinishReason,
  usage: CompletionUsage,
): object {
  const message = { role: "assistant", content, refusal: null };
  return {
    id: head.id,
    object: "chat.completion",
    created: head.created,
    model: head.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    usage,
  };
}

/** The chunks of one stream. `withUsage`: the client asked for `stream_options.include_usage`. */
export function createChunks(head: CompletionHead, withUsage: boolean) {
  const chunk = (choices: readonly object[], usage: CompletionUsage | null = null) => ({
    id: head.id,
    object: "chat.completion.chunk",
    created: head.created,
    model: head.model,
    choices,
    ...(withUsage ? { usage } : {}),
  });
  const choice = (delta: object, finishReason: CompletionFinishReason | null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: finishReason }]);
  return {
    role: () => choice({ role: "assistant", content: "" }, null),
    content: (text: string) => choice({ content: text }, null),
    finish: (reason: CompletionFinishReason) => choice({}, reason),
    usage: (usage: CompletionUsage) => chunk([], usage),
  };
}
