/** The ports of the agent: tools, sessions and the runner of turns. */
import type { Frame } from "#core/frames";
import type { ChatMessage } from "#core/messages";

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

export interface TurnRequest {
  readonly session: Session;
  /** The person's words. */
  readonly message: string;
  readonly platform: string;
  /** The platform's id of the person, for gateway events; empty where there is none. */
  readonly user_id?: string;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Frame) => void;
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

/** Runs turns; every surface that brings the agent a message calls it and renders its frames. */
export interface AgentRunner {
  turn(request: TurnRequest): Promise<TurnResult>;
  /** Runs one tool as the person (`!CMD`): through the same gate as any other call, without the model. */
  callTool(request: ToolRequest): Promise<string>;
  /** Adds text to the turn that runs in this session; false when none runs. */
  inject(sessionId: string, message: string, label: string): boolean;
}

export interface ToolRequest {
  readonly session: Session;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Frame) => void;
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
