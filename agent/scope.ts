/** What a turn knows while it runs: what it works with, whom it reports to, how it is stopped. */
import type { Decision } from "#core/answers";
import type { HookDispatcher } from "#core/dispatch";
import type { EventName, Payload } from "#core/events";
import { hookFrame, type Frame } from "#core/frames";
import type { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { FiringOrigin, HookRun } from "#core/ports/hook";
import type { Session, SessionRequest, Tool, TurnProgress, TurnResult } from "#core/ports/agent";
import type { AskUser } from "#core/ports/question";
import type { HookRegistry } from "#core/registry";
import type { SelectedModel } from "./models/select.ts";
import type { CallQuestions } from "./questions.ts";
import type { SqliteSessions } from "./sessions.ts";

/** What the agent needs of the rest of the program. */
export interface AgentDeps {
  readonly dispatcher: HookDispatcher;
  /** Gets `session:*` and `agent:*`, for `ctx.on`. */
  readonly registry: HookRegistry;
  readonly sessions: SqliteSessions;
  /** The tools of the moment, `delegate_task` left out: the agent adds its own. Asked once a turn. */
  readonly tools: () => readonly Tool[];
  /** Tools that come and go while a turn runs: asked before each request. One with the name of another tool is left out. */
  readonly changingTools?: (() => readonly Tool[]) | undefined;
  /** Resolves once the tools are known, some of which others have to be asked for, or when the signal aborts. */
  readonly toolsReady?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** The model of the moment. Asked once a turn. */
  readonly model: () => Promise<SelectedModel>;
  /** The id of that model, without loading it. May throw what loading it would throw. */
  readonly modelId: () => string;
  /** Takes every frame that a surface shows, and never throws: subscribers of `tui:*` see it, too. */
  readonly mirror: (frame: Frame) => void;
  /** Takes each wait before a request is sent again, with the session that the user talks to. Must not throw. */
  readonly mirrorRetry?:
    | ((session_id: string, retry: { readonly problem: string; readonly delay_ms: number }) => void)
    | undefined;
  /** Requests to the model in a turn (`agent.max_iterations`). Asked once a turn. */
  readonly maxIterations: () => number;
  /** How often a failed request is tried again (`model.max_retries`). */
  readonly maxRetries: () => number;
  /** The part of the context at which a session compacts itself, 0 for never (`sessions.compact_at`); never when absent. */
  readonly compactAt?: (() => number) | undefined;
  readonly cwd: string;
  /** The task that everything here belongs to; undefined outside of a task. */
  readonly taskId?: string | undefined;
  /** Called when a session ends, for what lives as long as it does: background commands. Must not throw. */
  readonly onSessionEnd?: ((sessionId: string) => void) | undefined;
  /** Called for each tool call that passed the gate, with its final arguments. Must not throw. */
  readonly onToolCall?: ((call: { task_id: string; tool: string; args: object }) => void) | undefined;
  readonly log: Pick<Log, "debug" | "warn">;
  /** Removes secrets from what hooks say; nothing is removed when absent. */
  readonly redact?: ((text: string) => string) | undefined;
  /** The model's instructions before the conversation; the built-in ones when absent. */
  readonly instructions?: string;
  /** Those of the project, which come after them. */
  readonly projectInstructions?: string | undefined;
  /** The first wait before a retry, in milliseconds; 500 when absent. */
  readonly retryDelayMs?: number;
  /** How long a tool that ignores the stop of its turn is waited for, in milliseconds; 3000 when absent. */
  readonly stopGraceMs?: number;
  /** How long handlers of `session:end` and `session:reset` are waited for, in milliseconds; 5000 when absent. */
  readonly eventMs?: number;
}

/** The person's end of a turn, which the agents of its delegated tasks share. */
export interface TurnOutput {
  /** The session that the user talks to: every frame carries it. */
  readonly session_id: string;
  readonly emit: (frame: Frame) => void;
  /** Takes what the turn does at the moment. */
  readonly progress: (progress: TurnProgress) => void;
  /** Takes the record of each hook run. */
  readonly report: (run: HookRun) => void;
  /** Asks about a tool call; undefined where nobody can be asked. */
  readonly ask: AskUser | undefined;
  /** Tokens of the turn, those of child agents included. */
  readonly cost: { input_tokens: number; output_tokens: number };
  /** What the last request of the user's own session took of the model's context, with its answer. */
  readonly context: { tokens: number };
  /** Ids of the calls that were shown, so that no two calls of a turn share one. */
  readonly callIds: Set<string>;
  readonly signal: AbortSignal;
  /** What hooks get that must run although the turn was stopped: together at most five seconds from then. */
  readonly closing: () => AbortSignal;
}

/** One agent's turn. */
export interface TurnScope {
  readonly deps: AgentDeps;
  readonly session: Session;
  readonly platform: string;
  /** The platform's id of the user; empty if there is none. */
  readonly user_id: string;
  /** 0 for the user's own session. */
  readonly depth: number;
  readonly line: TurnOutput;
  readonly origin: FiringOrigin;
  readonly questions: CallQuestions;
  readonly maxIterations: number;
}

/** How a turn ended; `error` is why, when it was no answer. */
export interface TurnOutcome extends TurnResult {
  readonly error: HermesError | null;
}

const CLOSING_MS = 5000;

/** Makes what takes every frame of a surface: whoever watches the program's events sees what the user sees. */
export function showFrames(
  { mirror }: Pick<AgentDeps, "mirror">,
  { onFrame }: Pick<SessionRequest, "onFrame">,
): (frame: Frame) => void {
  return (frame) => {
    mirror(frame);
    onFrame?.(frame);
  };
}

/**
 * Opens the user's end of a turn. Frames that come after `close` are dropped, for the result is the last one; but
 * the line of an observer that nobody waited for comes when it has ended, maybe behind the result.
 */
export function openLine(
  deps: Pick<AgentDeps, "mirror" | "mirrorRetry" | "redact">,
  request: Pick<SessionRequest, "session" | "onFrame" | "onNotice" | "onProgress" | "signal" | "ask">,
): TurnOutput & { close: () => void } {
  const { session, signal } = request;
  const show = showFrames(deps, request);
  let open = true;
  let closing: AbortSignal | undefined;
  // The five seconds begin with the stop, not with the first hook that needs them.
  const begin = () => (closing ??= AbortSignal.timeout(CLOSING_MS));
  signal.addEventListener("abort", begin, { once: true });
  const emit = (frame: Frame) => {
    if (open || frame.type === "hook") show(frame);
  };
  return {
    session_id: session.id,
    emit,
    progress: (progress) => {
      if (!open) return;
      request.onProgress?.(progress);
      if (progress.kind === "retry") deps.mirrorRetry?.(session.id, progress);
    },
    report: (run) => {
      emit(hookFrame(run, session.id, deps.redact));
      if (run.notice !== undefined) request.onNotice?.(run.notice);
    },
    ask: request.ask,
    cost: { input_tokens: 0, output_tokens: 0 },
    context: { tokens: 0 },
    callIds: new Set(),
    signal,
    closing: () => (signal.aborted ? begin() : signal),
    close: () => {
      open = false;
      signal.removeEventListener("abort", begin);
    },
  };
}

/** Where the events of a session come from. A session of a plugin's turn has no user either. */
export function originOf({ id, source }: Session): FiringOrigin {
  return { user_session_id: id, ...(source.startsWith("plugin:") ? { agent: { id, type: source } } : {}) };
}

/**
 * Fires an event of this turn; the payload is made only when somebody listens. Observers that close something
 * (`closing`) run although the turn was stopped.
 */
export function fireHook<Name extends EventName>(
  { deps, line, origin }: Pick<TurnScope, "deps" | "line" | "origin">,
  event: Name,
  payload: () => Payload<Name>,
  options: { closing?: boolean; blocked?: boolean } = {},
): Decision | Promise<Decision> {
  return deps.dispatcher.invoke_hook(event, payload, {
    signal: options.closing ? line.closing() : line.signal,
    onRun: line.report,
    origin: options.blocked ? { ...origin, blocked: true } : origin,
  });
}
