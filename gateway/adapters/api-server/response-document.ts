/** The documents of the Responses API: `response` and the items of its output. */
import { createResponseId } from "./response-ids.ts";
import type { ResponsesRequest } from "./responses-request.ts";
import type { Answer, AnswerHead } from "./running-answer.ts";

/** How far a response is: finished with an answer, failed, or in progress when both are absent. */
export interface ResponseState {
  readonly answer?: Answer;
  readonly error?: { readonly code: string; readonly message: string };
  readonly output: readonly object[];
}

export function responseOf(head: AnswerHead, echo: ResponsesRequest["echo"], state: ResponseState): object {
  const { answer, error, output } = state;
  return {
    id: createResponseId("resp", head),
    object: "response",
    created_at: head.created,
    status: statusOf(state),
    background: false,
    error: error ?? null,
    incomplete_details: answer === undefined || answer.end === "stop" ? null : { reason: REASONS[answer.end] },
    instructions: echo.instructions,
    max_output_tokens: null,
    model: head.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: echo.previous_response_id,
    conversation: echo.conversation,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    truncation: "disabled",
    usage: answer === undefined ? null : usageOf(answer),
    user: null,
    metadata: echo.metadata,
  };
}

const REASONS = { length: "max_output_tokens", content_filter: "content_filter" } as const;

function statusOf({ answer, error }: ResponseState): string {
  if (error !== undefined) return "failed";
  if (answer === undefined) return "in_progress";
  return answer.end === "stop" ? "completed" : "incomplete";
}

/** The output of a whole answer. */
export function outputOf(answer: Answer): object[] {
  const message = messageItem(createResponseId("msg", answer, 0), answer.text);
  if (answer.reasoning === "") return [message];
  return [reasoningItem(createResponseId("rs", answer, 0), answer.reasoning), message];
}

export function messageItem(id: string, text: string | null): object {
  const content = text === null ? [] : [textPart(text)];
  return { id, type: "message", status: text === null ? "in_progress" : "completed", role: "assistant", content };
}

export function reasoningItem(id: string, text: string | null): object {
  return { id, type: "reasoning", summary: text === null ? [] : [summaryPart(text)] };
}

export function textPart(text: string): object {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

export function summaryPart(text: string): object {
  return { type: "summary_text", text };
}

function usageOf({ inputTokens, outputTokens }: Answer): object {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}
