/** How much of the model's context a conversation takes. */
import { isHermesError } from "#core/errors";
import type { FrameOf } from "#core/frames";
import { contextText } from "#core/usage-text";
import type { Host } from "../host/host.ts";

/** `12.3k of 200k tokens (6%)`; empty before the first answer, and where nothing can be read. For status lines, too. */
export function contextMeter({ sessions, model }: Pick<Host, "sessions" | "model">, id: string | undefined): string {
  if (id === undefined) return "";
  try {
    return contextText(sessions.usage.of(id), model.describe().contextLength);
  } catch (error) {
    // A model that is not configured, or a database that cannot be read, is reported where it is used.
    if (isHermesError(error) || (error as { code?: unknown }).code === "ERR_SQLITE_ERROR") return "";
    throw error;
  }
}

/** What the conversation says when older messages were replaced by a summary. */
export function compactedText(frame: Omit<FrameOf<"compacted">, "type" | "session_id">): string {
  const { summarized, kept, tokens_before: before, tokens_after: after } = frame;
  return (
    `Compacted: ${summarized} older messages are now a summary, the last ${kept} stay as they are ` +
    `(about ${before} tokens before, ${after} now).`
  );
}
