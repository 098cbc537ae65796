/** The ports of the agent: tools, sessions and the runner of turns. */
import type { Frame } from "#core/frames";
import type { ChatMessage } from "#core/messages";
import type { HookRun } from "#core/ports/hook";

/** A tool that the model may call. `parameters` is a JSON Schema of an object. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The value becomes the result's JSON; a throw becomes `{"error": message}`. */
  execute(args: Readonly<Record<string, unknown>>, call: ToolCall): Promise<unknown>;
}

/** The circumstances of one tool call. */
export interface ToolCall {
  readonly tool_call_id: string;
  readonly session_id: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** 0 for the person's own session, one more for each level of delegation. */
  readonly depth: number;
}

/** A conversation as the database knows it. */
export interface Session {
  readonly id: string;
  readonly key: string | null;
  readonly platform: string;
  readonly source: string;
  readonly parent: string | null;
}

/** A session where it runs now, and who sees what happens in it. */
export interface SessionRequest {
  readonly session: Session;
  /** Where it runs now: a chat may resume what began elsewhere. */
  readonly platform: string;
  /** The platform's id of the user, for gateway events; empty when absent. */
  readonly user_id?: string | undefined;
  /** Stops a turn; ends the wait for closing hooks. */
  readonly signal: AbortSignal;
  /** Takes the frames. They become `tui:*` events with or without it. */
  readonly onFrame?: ((frame: Frame) => void) | undefined;
}

export interface TurnRequest extends SessionRequest {
  /** The user's words. */
  readonly message: string;
  /** The hooks that ran for the message before its session was known; their frames follow the session's. */
  readonly runs?: readonly HookRun[];
  /** Requests to the model in this turn; the configuration's `agent.max_iterations` when absent. */
  readonly maxIterations?: number | undefined;
}

export interface TurnResult {
  /** The final answer after `transform_llm_output`; null when there was none. */
  readonly text: string | null;
  readonly completed: boolean;
  readonly interrupted: boolean;
  readonly duration_ms: number;
  /** The exit code of a run that ends with this turn (CONTRACT §3). */
  readonly exit_code: number;
}

/**
 * The life of sessions, the same on every surface: whoever brings the agent a message calls it and renders its frames.
 * A `session` frame comes before all others of a turn, a tool call or a reset.
 */
export interface AgentRunner {
  /** Runs a turn; the first one of a session fires `session:start` and `on_session_start`. */
  turn(request: TurnRequest): Promise<TurnResult>;
  /** Runs one tool as the user (`!CMD`): through the same gate as any other call, without the model. */
  callTool(request: ToolRequest): Promise<string>;
  /** Shows the session's frame where neither a turn nor a tool call does. */
  show(request: Pick<SessionRequest, "session" | "platform" | "onFrame">): void;
  /**
   * Replaces a session: `session:end` and `on_session_finalize` (old), swap, `session:reset` and `on_session_reset`
   * (new). Rejects only with what the sessions' database throws.
   */
  reset(request: ResetRequest): Promise<Session>;
  /** Ends a session: `session:end`, `on_session_finalize`. Resolves 200 ms after `signal` aborts at the latest. */
  close(request: CloseRequest): Promise<void>;
  /** Adds text to the turn that runs in this session; false when none runs. */
  inject(sessionId: string, message: string, label: string): boolean;
}

export interface ToolRequest extends SessionRequest {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface ResetRequest extends Omit<SessionRequest, "session"> {
  /** The session that ends; undefined where none has begun yet. */
  readonly session: Session | undefined;
  /** What the new session is created with. */
  readonly next: { readonly source: string; readonly key?: string | null };
}

export interface CloseRequest extends SessionRequest {
  /** True when only this process lets go of the session: there is no `session:end` then. */
  readonly goesOn?: boolean;
}

/** The conversations of one home, as the surfaces that bring messages need them. */
export interface SessionRepository {
  create(options: { platform: string; source: string; key?: string | null; title?: string | null }): Session;
  get(id: string): Session | undefined;
  /** The session that was created last with this key. */
  byKey(key: string): Session | undefined;
  append(id: string, message: ChatMessage): void;
  history(id: string): ChatMessage[];
}
