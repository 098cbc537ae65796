/** What rooms need of each other, as interfaces; `cli/compose.ts` hands the implementations over. */
import type { EventName, Payload } from "./events.ts";
import type { Frame } from "./frames.ts";
import type { HookRun } from "./runs.ts";

/** Where a hook's code lives. */
export type HookSource = "plugin" | "shell" | "worker" | "isolate" | "python";

/**
 * One event on its way through its hooks. It holds the payload and makes its other forms lazily and once,
 * so that an event which nobody needs in a form never pays for it.
 */
export interface Firing<Name extends EventName = EventName> {
  readonly event: Name;
  /** The payload itself. Only the host may hold it: hooks get one of the forms below. */
  readonly payload: Payload<Name>;
  readonly session_id: string;
  /** The payload, frozen all the way down, for callbacks in this process; live fields come by reference. */
  frozen(): Readonly<Payload<Name>>;
  /** A form made by its owner (a script's JSON document, say), made once per firing and key. */
  form<Form>(key: symbol, make: (payload: Payload<Name>) => Form): Form;
}

/** What a hook's run gives back. A run that fails throws or rejects instead. */
export interface HookReply {
  /** The answer as the hook gave it; `core/answers.ts` alone judges it. */
  readonly answer?: unknown;
  /** Set when the run went wrong although there may be an answer (exit 1 with a block on stdout, say). */
  readonly failure?: unknown;
  /** Which dialect the answer speaks: scripts may say `decision` for `action`. */
  readonly dialect?: "plugin" | "shell";
  readonly exit_code?: number | null;
}

/** Anything that runs at an event: every tier makes these, dispatch alone runs them. */
export interface Hook {
  readonly source: HookSource;
  /** The plugin's name, the entry's `name`, or the command: what people see. */
  readonly name: string;
  readonly event: EventName;
  /** The command of a shell hook, else null. */
  readonly command: string | null;
  /** The entry's matcher as it is written, for people; null or absent when there is none. */
  readonly matcher?: string | null;
  /** What its failure does where the event leaves the choice to the hook. */
  readonly onFailure: "skip" | "block";
  /** How long dispatch waits for a promise, in seconds; null for a hook that bounds itself. */
  readonly deadlineSeconds: number | null;
  /** True for a hook that may run beside other such hooks of an observed event. */
  readonly sideBySide: boolean;
  /** True for an observer that the firing does not wait for. */
  readonly background: boolean;
  matches(firing: Firing): boolean;
  run(firing: Firing, signal: AbortSignal): HookReply | Promise<HookReply>;
}

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

/** Takes the record of every hook run, and the hook that ran. Must not throw and must return at once. */
export type RunSink = (run: HookRun, hook: Hook) => void;
