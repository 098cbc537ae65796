/** How a session is shown, replaced and ended, the same on every surface (CONTRACT §4, §8 and §9; seed 003). */
import { untilAborted, withDeadline } from "#core/deadline";
import { hookFrame, type Frame, type FrameOf } from "#core/frames";
import type { CloseRequest, ResetRequest, Session, SessionRequest } from "#core/ports/agent";
import type { FiringOrigin, HookRun } from "#core/ports/hook";
import { originOf, showFrames, type AgentDeps } from "./scope.ts";

/** How long the handlers of `session:end` and `session:reset` may keep a session from going on. */
const EVENT_MS = 5000;
/** What a closing hook still says once its time is up is waited for this long. */
export const LAST_WORDS_MS = 200;

/** The frame that names a session before anything happens in it. */
export function sessionFrame(
  deps: Pick<AgentDeps, "modelId" | "sessions">,
  { session, platform }: Pick<SessionRequest, "session" | "platform">,
): FrameOf<"session"> {
  // What cannot be told is the turn's to report.
  const model = orElse(deps.modelId, "");
  const resumed = orElse(() => (deps.sessions.get(session.id)?.started_at ?? null) !== null, false);
  return { type: "session", session_id: session.id, model, platform, resumed };
}

/** {@link AgentRunner.reset} */
export async function resetSession(deps: AgentDeps, request: ResetRequest): Promise<Session> {
  const { session: old, next, platform, user_id, signal } = request;
  const show = showFrames(deps, request);
  if (old !== undefined) await emitEvent(deps, "session:end", { ...request, session: old });
  const origin = old === undefined ? undefined : originOf(old);
  await finalizeSession(deps, { session_id: old?.id ?? null, platform, signal, show, origin });
  const session = deps.sessions.create({ ...next, platform });
  if (old !== undefined) deps.sessions.deleteEmpty(old.id);
  show(sessionFrame(deps, { session, platform }));
  await emitEvent(deps, "session:reset", { session, platform, user_id, signal });
  await deps.dispatcher.invoke_hook(
    "on_session_reset",
    { session_id: session.id, platform },
    { signal, onRun: (run) => show(hookFrame(run, session.id, deps.redact)), origin: originOf(session) },
  );
  return session;
}

/** {@link AgentRunner.close} */
export async function closeSession(deps: AgentDeps, request: CloseRequest): Promise<void> {
  const { session, platform, signal } = request;
  const show = showFrames(deps, request);
  const end = async () => {
    if (!request.goesOn) await emitEvent(deps, "session:end", request);
    await finalizeSession(deps, { session_id: session.id, platform, signal, show, origin: originOf(session) });
  };
  await untilAborted(signal, LAST_WORDS_MS, end());
  if (!request.goesOn) deps.sessions.deleteEmpty(session.id);
}

interface Finalization {
  /** Null where no session had begun. */
  readonly session_id: string | null;
  readonly platform: string;
  readonly signal: AbortSignal;
  readonly show: (frame: Frame) => void;
  /** The session that the frames carry; the one that ends when absent. */
  readonly shownIn?: string;
  readonly origin: FiringOrigin | undefined;
}

/** Fires `on_session_finalize`, at the end of any session, a child agent's included. */
export async function finalizeSession(
  { dispatcher, onSessionEnd, redact }: AgentDeps,
  ending: Finalization,
): Promise<void> {
  const { session_id, platform, signal, show, shownIn = session_id ?? "", origin } = ending;
  if (session_id !== null) onSessionEnd?.(session_id);
  const onRun = (run: HookRun) => show(hookFrame(run, shownIn, redact));
  await dispatcher.invoke_hook("on_session_finalize", { session_id, platform }, { signal, onRun, origin });
}

/** A handler that hangs keeps neither the hooks from their chance nor the conversation from going on. */
async function emitEvent(
  { registry, eventMs = EVENT_MS }: AgentDeps,
  event: string,
  { session, platform, user_id = "", signal }: SessionRequest,
): Promise<void> {
  const { id, key } = session;
  const context = { platform, user_id, session_id: id, session_key: key ?? id };
  await withDeadline(eventMs, () => untilAborted(signal, 0, registry.emit(event, context)));
}

function orElse<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
