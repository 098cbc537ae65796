/** `pre_gateway_dispatch`: runs hooks on a message before its access check (seed 003). */
import type { Payload } from "#core/events";
import type { ChatMessage } from "#core/messages";
import type { InboundMessage } from "#core/ports/platform";
import type { HookRun } from "#core/ports/hook";
import type { GatewayDeps } from "./deps.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { PlatformHandle } from "./platforms.ts";

export interface GateDeps extends Pick<GatewayDeps, "dispatcher"> {
  readonly live: LiveSessions;
  readonly handles: Readonly<Record<string, PlatformHandle>>;
  /** Aborts when the gateway shuts down and no longer waits for hooks. */
  readonly closing: AbortSignal;
}

export interface Passed {
  /** The text to continue with; null for a message that a hook skipped. */
  readonly text: string | null;
  /** Why it was skipped. */
  readonly reason: string;
  readonly runs: readonly HookRun[];
}

/** Fires the event for a message of the conversation `key`. Never rejects; on any failure the message passes. */
export async function passGate(deps: GateDeps, message: InboundMessage, key: string | null): Promise<Passed> {
  const { dispatcher, live, handles, closing } = deps;
  const { text, source, message_id, internal } = message;
  const runs: HookRun[] = [];
  const decision = await dispatcher.invoke_hook(
    "pre_gateway_dispatch",
    () => {
      const payload = {
        session_id: sessionId(live, key),
        event: { text, source: { ...source }, message_id, internal },
        gateway: { adapters: handles },
        session_store: { append_to_transcript: transcript(live, source.platform, key) },
      };
      return payload satisfies Payload<"pre_gateway_dispatch">;
    },
    { signal: closing, onRun: (run) => void runs.push(run) },
  );
  if (decision.kind === "skip") return { text: null, reason: decision.reason, runs };
  return { text: decision.kind === "rewrite" ? decision.text : text, reason: "", runs };
}

function sessionId(live: LiveSessions, key: string | null): string {
  try {
    return live.find(key)?.id ?? "";
  } catch {
    // state.db cannot be read; the turn will report that.
    return "";
  }
}

/** An empty id means the conversation of the message, which is created if it does not exist. */
function transcript(live: LiveSessions, platform: string, key: string | null) {
  return (session_id: unknown, message: unknown): void => {
    const entry = readEntry(message);
    if (typeof session_id !== "string")
      throw new TypeError("append_to_transcript expects the id of a session as a string");
    if (session_id !== "") return live.append(session_id, entry);
    if (key === null) throw new Error("the request has its own history, so there is no session to append to");
    return live.append(live.open(key, platform).id, entry);
  };
}

function readEntry(message: unknown): ChatMessage {
  const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
  if ((role !== "user" && role !== "assistant" && role !== "system") || typeof content !== "string") {
    throw new TypeError(
      'append_to_transcript expects {role, content}: a role "user", "assistant" or "system", and a string',
    );
  }
  return { role, content };
}
