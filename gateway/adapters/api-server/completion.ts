/** An answer in the format of chat completions: `chat.completion`, and `chat.completion.chunk` for streams. */
import type { AnswerFormat } from "./answer.ts";
import type { Answer, AnswerEnd, AnswerHead } from "./running-answer.ts";

/** `includeUsage`: the client asked for `stream_options.include_usage`. */
export function completionFormat(includeUsage: boolean): AnswerFormat {
  return {
    document: completion,
    events(stream) {
      let chunks: ReturnType<typeof createChunks> | undefined;
      let head: AnswerHead | undefined;
      const begun = (known: AnswerHead | undefined) => {
        if (chunks !== undefined) return chunks;
        // An answer's head comes before its words.
        chunks = createChunks(known!, includeUsage);
        stream.send(chunks.role());
        return chunks;
      };
      return {
        take(part) {
          if (part.kind === "begin") ({ head } = part);
          else stream.send(begun(head).delta(part.kind === "text" ? "content" : "reasoning_content", part.delta));
        },
        finish(answer) {
          stream.send(begun(answer).finish(answer.end));
          if (includeUsage) stream.send(begun(answer).usage(usageOf(answer)));
          stream.send("[DONE]");
        },
        fail(problem) {
          stream.send(problem.body());
          stream.send("[DONE]");
        },
      };
    },
  };
}

function completion(answer: Answer): object {
  const { text: content, reasoning, end } = answer;
  const message = {
    role: "assistant",
    content,
    refusal: null,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
  };
  return {
    ...headOf(answer, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: end }],
    usage: usageOf(answer),
  };
}

function createChunks(head: AnswerHead, withUsage: boolean) {
  const chunk = (choices: readonly object[], usage: object | null = null) => ({
    ...headOf(head, "chat.completion.chunk"),
    choices,
    ...(withUsage ? { usage } : {}),
  });
  const choice = (delta: object, end: AnswerEnd | null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: end }]);
  return {
    role: () => choice({ role: "assistant", content: "" }, null),
    delta: (field: "content" | "reasoning_content", text: string) => choice({ [field]: text }, null),
    finish: (end: AnswerEnd) => choice({}, end),
    usage: (usage: object) => chunk([], usage),
  };
}

function headOf({ id, created, model }: AnswerHead, object: string) {
  return { id: `chatcmpl-${id}`, object, created, model };
}

function usageOf({ inputTokens, outputTokens }: Answer): object {
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}
