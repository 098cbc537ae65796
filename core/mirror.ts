/** Mirrors every frame of a turn as a `tui:*` event, on all surfaces (the table at the end of CONTRACT §9). */
import type { Frame } from "./frames.ts";
import type { HookRegistry } from "./registry.ts";

type Payload = Readonly<Record<string, unknown>>;

/** Maximum number of characters of a tool's result that are mirrored. */
const LONGEST_CONTENT = 2000;
/** A secret that starts before the cut is recognised completely if it is not longer than this. */
const LONGEST_SECRET = 512;

/**
 * Creates the mirror of a surface: a function that takes every frame of its turns, from all sessions. It never throws,
 * and does nothing when nobody listens. `context` is `{session_id, payload}`. A text that is too long goes through
 * `redact` before it is cut, because half of a secret could not be recognised later.
 */
export function mirrorFrames(registry: HookRegistry, redact: (text: string) => string): (frame: Frame) => void {
  /** Sessions in the middle of an answer. */
  const answering = new Set<string>();

  function emit(event: string, { session_id }: Frame, payload: () => Payload): void {
    if (registry.listens(event)) registry.emit_sync(event, { session_id, payload: payload() });
  }

  return (frame) => {
    if (endsAnswer(frame)) answering.delete(frame.session_id);
    switch (frame.type) {
      case "session": {
        const { model, platform, resumed } = frame;
        return emit("tui:session.info", frame, () => ({ model, platform, resumed }));
      }
      case "text": {
        if (!answering.has(frame.session_id)) emit("tui:message.start", frame, () => ({}));
        answering.add(frame.session_id);
        return emit("tui:message.delta", frame, () => ({ text: frame.delta }));
      }
      case "reasoning":
        return emit("tui:reasoning.delta", frame, () => ({ text: frame.delta }));
      case "assistant":
        return emit("tui:message.complete", frame, () => {
          const { content: text, finish_reason, notice } = frame;
          return { text, finish_reason, ...(notice === undefined ? {} : { notice }) };
        });
      case "tool_use": {
        const { tool: name, tool_id, params } = frame;
        return emit("tui:tool.start", frame, () => ({ name, tool_id, params }));
      }
      case "tool_result": {
        const { tool: name, tool_id, success, content } = frame;
        return emit("tui:tool.complete", frame, () => ({
          name,
          tool_id,
          success,
          content: beginning(content, redact),
        }));
      }
      case "hook":
        return emit("tui:hook.complete", frame, () => bodyOf(frame));
      case "injected":
        return emit("tui:injected", frame, () => bodyOf(frame));
      case "compacted":
        return emit("tui:session.compacted", frame, () => bodyOf(frame));
      case "cost": {
        const { input_tokens, output_tokens } = frame;
        return emit("tui:status.update", frame, () => ({ input_tokens, output_tokens }));
      }
      case "error": {
        const { message, code } = frame;
        return emit("tui:error", frame, () => ({ message, code }));
      }
      case "result": {
        const { completed, interrupted, duration_ms } = frame;
        return emit("tui:turn.complete", frame, () => ({ completed, interrupted, duration_ms }));
      }
    }
  };
}

/**
 * Creates the mirror of a surface's repeated model requests, which are no frames: a function that takes the session that
 * the user talks to, the reason without secrets, and the wait. It never throws.
 */
export function mirrorRetries(
  registry: HookRegistry,
): (session_id: string, retry: { readonly problem: string; readonly delay_ms: number }) => void {
  return (session_id, { problem, delay_ms }) => {
    if (registry.listens(RETRY)) registry.emit_sync(RETRY, { session_id, payload: { problem, delay_ms } });
  };
}

const RETRY = "tui:model.retry";

/** The next text starts a new answer. Hook and cost frames may come at any time; models may reason between words. */
function endsAnswer({ type }: Frame): boolean {
  return type !== "text" && type !== "reasoning" && type !== "hook" && type !== "cost" && type !== "compacted";
}

function bodyOf({ type: _type, session_id: _session, ...body }: Frame): Payload {
  return body;
}

function beginning(content: string, redact: (text: string) => string): string {
  if (content.length <= LONGEST_CONTENT) return content;
  const text = content.slice(0, 2 * LONGEST_CONTENT + LONGEST_SECRET);
  // Characters, not UTF-16 units, so that an emoji at the end is not split.
  return Array.from(redact(text)).slice(0, LONGEST_CONTENT).join("");
}
