/** How much of the model's context a conversation takes. */
import { isHermesError } from "#core/errors";
import type { FrameOf } from "#core/frames";
import { contextShare, contextText } from "#core/usage-text";
import type { Host } from "../host/host.ts";
import type { ContextMeter } from "./screen/activity.ts";

type Metered = Pick<Host, "sessions" | "model">;

/** `12.3k of 200k tokens (6%)`; empty before the first answer, and where nothing can be read. */
export function contextMeter({ sessions, model }: Metered, id: string | undefined): string {
  if (id === undefined) return "";
  return readable(() => contextText(sessions.usage.of(id), model.describe().contextLength));
}

/** The meter of a status line: `ctx 6%` of so many tokens, or of what the last turn of the session `id()` took. */
export function statusMeter({ sessions, model }: Metered, id: () => string | undefined): ContextMeter {
  const lastTokens = () => {
    const session = id();
    return session === undefined ? 0 : (sessions.usage.of(session).at(-1)?.context_tokens ?? 0);
  };
  return (tokens) => readable(() => contextShare(tokens ?? lastTokens(), model.describe().contextLength));
}

function readable(read: () => string): string {
  try {
    return read();
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
