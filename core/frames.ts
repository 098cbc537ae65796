/** The frames that a turn emits (CONTRACT §3). Every surface consumes them; each line of `stream-json` is one. */
import type { ErrorCode } from "./errors.ts";
import { shownDetail } from "./runs.ts";
import type { HookSource, HookOutcome, HookRun } from "./ports/hook.ts";

/** Why the model ended an answer, in OpenAI's words. */
export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "error" | "other";

interface FrameBodies {
  session: { model: string; platform: string; resumed: boolean };
  text: { delta: string };
  /** The model's reasoning as it arrives; never part of the answer. */
  reasoning: { delta: string };
  tool_use: { tool: string; tool_id: string; params: Readonly<Record<string, unknown>> };
  tool_result: { tool: string; tool_id: string; content: string; success: boolean };
  hook: {
    event: string;
    source: HookSource;
    name: string;
    outcome: HookOutcome;
    cause?: "error" | "timeout";
    duration_ms: number;
    /** The message of a block or failure and what the hook said to the user, without secrets; else null. */
    detail: string | null;
    /** Of the tool events; null for the others. */
    tool_call_id: string | null;
  };
  injected: { source_kind: string; source_label: string; content: string };
  /** `notice` is a sentence for the user about an answer that is empty or incomplete. */
  assistant: { content: string; finish_reason: FinishReason; notice?: string };
  /** Older messages were replaced by a summary; tokens as counted here, roughly. */
  compacted: { summarized: number; kept: number; tokens_before: number; tokens_after: number };
  cost: { input_tokens: number; output_tokens: number };
  error: { message: string; code: ErrorCode };
  result: { completed: boolean; interrupted: boolean; duration_ms: number; exit_code: number };
}

export type FrameType = keyof FrameBodies;
export type FrameOf<Type extends FrameType> = { readonly type: Type; readonly session_id: string } & Readonly<
  FrameBodies[Type]
>;
export type Frame = { [Type in FrameType]: FrameOf<Type> }[FrameType];

/** The `hook` frame of a run, with the session that the user talks to; `redact` removes secrets from its detail. */
export function hookFrame(
  run: HookRun,
  sessionId: string,
  redact: (text: string) => string = (text) => text,
): FrameOf<"hook"> {
  return {
    type: "hook",
    session_id: sessionId,
    event: run.event,
    source: run.source,
    name: run.name,
    outcome: run.outcome,
    ...(run.cause === null ? {} : { cause: run.cause }),
    duration_ms: run.duration_ms,
    detail: shownDetail(run, redact),
    tool_call_id: run.tool_call_id,
  };
}
