/** The ports of the agent: tools, sessions and the runner of turns. */
import type { FinishReason, Frame } from "#core/frames";
import type { ChatImage, ChatMessage } from "#core/messages";
import type { HookRun } from "#core/ports/hook";
import type { AskUser } from "#core/ports/question";

/** A tool that the model may call. `parameters` is a JSON Schema of an object. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** True for a tool that never changes its arguments, which then need no copy. */
  readonly leavesArguments?: true;
  /** The value becomes the result's JSON; a throw becomes `{"error": message}`. */
  execute(args: Readonly<Record<string, unknown>>, call: ToolCall): Promise<unknown>;
}

/** The context of one tool call. */
export interface ToolCall {
  readonly tool_call_id: string;
  readonly session_id: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** 0 for the user's own session, plus one for each level of delegation. */
  readonly depth: number;
}

/** A conversation in the database. */
export interface Session {
  readonly id: string;
  readonly key: string | null;
  readonly platform: string;
  readonly source: string;
  readonly parent: string | null;
  /** When its first turn started; null before that. */
  readonly started_at: string | null;
  /** When it was last used. */
  readonly updated_at: string;
}

/** What a turn does at the moment, for surfaces that show it while it lasts. No part of the frames. */
export type TurnProgress =
  /** A request to the model was sent. */
  | { readonly kind: "request" }
  /** A request failed and is sent again after `delay_ms`; `problem` is the server's reason. */
  | { readonly kind: "retry"; readonly problem: string; readonly delay_ms: number }
  /**
   * Tokens of the turn so far, those of child agents included, and what the user's own session takes of the model's
   * context; 0 when nobody knows.
   */
  | {
      readonly kind: "tokens";
      readonly input_tokens: number;
      readonly output_tokens: number;
      readonly context_tokens: number;
    }
  /** A tool has ended; `duration_ms` is its own time, without hooks and questions. */
  | { readonly kind: "tool_ended"; readonly tool_id: string; readonly duration_ms: number };

/** A running session, and who sees what happens in it. */
export interface SessionRequest {
  readonly session: Session;
  /** Where it runs now: a chat may resume a session of another platform. */
  readonly platform: string;
  /** The platform's id of the user, for gateway events; empty when absent. */
  readonly user_id?: string | undefined;
  /** Stops a turn, and the wait for closing hooks. */
  readonly signal: AbortSignal;
  /** Takes the frames, which also become `tui:*` events in any case. */
  readonly onFrame?: ((frame: Frame) => void) | undefined;
  /** Takes what hooks say to the user during a turn. Must not throw. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Asks the user about a tool call that a hook holds up; absent where nobody can be asked, and then it is blocked. */
  readonly ask?: AskUser | undefined;
  /** Takes what the turn does at the moment. Must not throw. */
  readonly onProgress?: ((progress: TurnProgress) => void) | undefined;
}

/** What a turn starts from. */
export interface TurnInput {
  /** The user's message; may be empty when there are images. */
  readonly message: string;
  /** Images of the message. A model that takes none is told how many there were. */
  readonly images?: readonly ChatImage[] | undefined;
  /** The earlier messages, for a surface whose client has them; those stored in the session when absent. */
  readonly history?: readonly ChatMessage[] | undefined;
  /** Instructions of the client, which the model gets after ours, for this turn only. */
  readonly instructions?: string | undefined;
  /** Tools of this turn's session only; child agents don't get them. Another tool with one of their names is left out. */
  readonly tools?: readonly Tool[] | undefined;
}

export interface TurnRequest extends SessionRequest, TurnInput {
  /** The hooks that ran for the message before its session was known; their frames come after the session's. */
  readonly runs?: readonly HookRun[];
  /** Where the message came from, if no user wrote it here: shown as an `injected` frame before the turn. */
  readonly injected?: InjectedFrom | undefined;
  /** Requests to the model in this turn; the configuration's `agent.max_iterations` when absent. */
  readonly maxIterations?: number | undefined;
}

/** The source of an injected message: `inject` and the other kinds of CONTRACT §13, and which one of its kind. */
export interface InjectedFrom {
  readonly kind: string;
  readonly label: string;
}

export interface TurnResult {
  /** The final answer after `transform_llm_output`; null when there was none. */
  readonly text: string | null;
  /** Why the model ended that answer; null when there was none. */
  readonly finish_reason: FinishReason | null;
  /** A sentence for the user about an answer that is empty or incomplete, else null. */
  readonly notice: string | null;
  readonly completed: boolean;
  readonly interrupted: boolean;
  readonly duration_ms: number;
  /** The exit code of a run that ends with this turn (CONTRACT §3). */
  readonly exit_code: number;
}

/**
 * The life of sessions, the same on every surface: surfaces call it for each message and render its frames.
 * A `session` frame precedes all others of a turn, a tool call or a reset.
 */
export interface AgentRunner {
  /** Runs a turn; the first one of a session fires `session:start` and `on_session_start`. */
  turn(request: TurnRequest): Promise<TurnResult>;
  /** Runs one tool as the user (`!CMD`): through the same gate as any other call, without the model. */
  callTool(request: ToolRequest): Promise<string>;
  /** Emits the session's frame when neither a turn nor a tool call does. */
  show(request: Pick<SessionRequest, "session" | "platform" | "onFrame">): void;
  /**
   * Replaces a session: `session:end` and `on_session_finalize` (old), swap, `session:reset` and `on_session_reset`
   * (new). Rejects only with what the sessions' database throws.
   */
  reset(request: ResetRequest): Promise<Session>;
  /** Ends a session: `session:end`, `on_session_finalize`. Resolves at most 200 ms after `signal` aborts. */
  close(request: CloseRequest): Promise<void>;
  /**
   * Summarizes the older messages of a session, which the model gets no more. Null when there is nothing to summarize.
   * Rejects with HERMES_COMPACTION, with what a request to the model rejects with, and with HERMES_INTERRUPTED.
   */
  compact(request: CompactRequest): Promise<CompactionResult | null>;
  /** Adds text to the running turn of this session; false when none is running. `kind` is `inject` when absent. */
  inject(sessionId: string, message: string, label: string, kind?: string): boolean;
}

export interface ToolRequest extends SessionRequest {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface ResetRequest extends Omit<SessionRequest, "session"> {
  /** The session that ends; undefined if none has started yet. */
  readonly session: Session | undefined;
  /** The properties of the new session. */
  readonly next: { readonly source: string; readonly key?: string | null; readonly cwd?: string | null };
}

export interface CloseRequest extends SessionRequest {
  /** True when only this process closes the session, without `session:end`. */
  readonly goesOn?: boolean;
}

/** The tokens of a turn with its child agents, or of a summary. */
export interface UsageRecord {
  readonly kind: "turn" | "summary";
  /** ISO-8601, UTC. */
  readonly at: string;
  readonly model: string | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** What the session takes of the model's context after it; 0 when nobody knows. */
  readonly context_tokens: number;
}

export interface CompactRequest extends SessionRequest {
  /** What the user wants the summary to keep. */
  readonly focus?: string | undefined;
}

/** What became of a session's messages; tokens are counted here, roughly. */
export interface CompactionResult {
  readonly summarized: number;
  readonly kept: number;
  readonly tokens_before: number;
  readonly tokens_after: number;
}

/** A message in the database. Positions grow within a session. */
export interface StoredMessage {
  readonly position: number;
  /** ISO-8601, UTC. */
  readonly created_at: string;
  readonly message: ChatMessage;
}

/** Reads conversations as they grow. */
export interface SessionReader {
  get(id: string): { readonly parent: string | null; readonly model: string | null } | undefined;
  /** The session's messages from this position on. */
  messagesFrom(id: string, position: number): readonly StoredMessage[];
}

/** The conversations of one home, for surfaces. */
export interface SessionRepository {
  create(options: { platform: string; source: string; key?: string | null; title?: string | null }): Session;
  get(id: string): Session | undefined;
  /** The most recently created session with this key. */
  byKey(key: string): Session | undefined;
  /** Renames the key `from`, and keys that begin with it and a colon. */
  moveKeys(from: string, to: string): void;
  append(id: string, message: ChatMessage): void;
  history(id: string): ChatMessage[];
  readonly usage: { of(id: string): readonly UsageRecord[] };
  /** Removes the last turn. Returns its user message, or null when there is none. */
  undo(id: string): string | null;
}
