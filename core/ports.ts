/** What rooms need of each other, as interfaces; `cli/compose.ts` hands the implementations over. */
import type { HermesError } from "./errors.ts";
import type { EventName, Payload } from "./events.ts";
import type { Frame } from "./frames.ts";
import type { ChatMessage } from "./messages.ts";
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

/** What people see of a hook: in the log of runs, in live snapshots, in the frames of a turn. */
export interface HookIdentity {
  readonly source: HookSource;
  /** The plugin's name, the entry's or folder's `name`, or the command. */
  readonly name: string;
  /** A hook event, a gateway event, or `namespace:*`. */
  readonly event: string;
  /** The command of a shell hook, else null. */
  readonly command: string | null;
  /** The entry's matcher as it is written, for people; null or absent when there is none. */
  readonly matcher?: string | null;
  /** How many events a full queue has dropped so far; absent for hooks without a queue. */
  readonly dropped?: number;
}

/** Anything that runs at a hook event: every tier makes these, dispatch alone runs them. */
export interface Hook extends HookIdentity {
  readonly event: EventName;
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

/** Takes the record of every hook run, and the hook that ran. Must not throw and must return at once. */
export type RunSink = (run: HookRun, hook: HookIdentity) => void;

/** The conversations of one home, as the surfaces that bring messages need them. */
export interface SessionRepository {
  create(options: { platform: string; source: string; key?: string | null; title?: string | null }): Session;
  get(id: string): Session | undefined;
  /** The session that was created last with this key. */
  byKey(key: string): Session | undefined;
  append(id: string, message: ChatMessage): void;
  history(id: string): ChatMessage[];
}

/** Where a message came from (seed 003, `pre_gateway_dispatch`). */
export interface MessageSource {
  readonly platform: string;
  /** `dm`, `group`, `thread`, `channel`, … */
  readonly chat_type: string;
  readonly chat_id: string;
  readonly user_id: string;
  readonly thread_id: string | null;
}

/** A message that a platform brought. */
export interface InboundMessage {
  readonly text: string;
  readonly source: MessageSource;
  /**
   * The id of the message, unique on its platform (where messages are numbered chat by chat, with the chat in it): what
   * comes twice under one id is one message. Empty where there is none.
   */
  readonly message_id: string;
  /** Made by the program itself: skips `pre_gateway_dispatch` and the access check. */
  readonly internal: boolean;
}

/** Where an answer goes. */
export interface ReplyTarget {
  readonly chat_id: string;
  readonly thread_id: string | null;
}

/** A message of ours that grows while the model writes; a platform that cannot edit has none. */
export interface Draft {
  /** Shows the text so far. Returns at once; the adapter shows as much as its platform's rate allows. */
  update(text: string): void;
  /** Makes the draft the finished answer. Resolves when the platform has taken it. */
  finish(text: string): Promise<void>;
  /** Takes the draft away: there is no answer. */
  discard(): Promise<void>;
}

/** A messaging platform of the gateway. Ours and those of plugins (`ctx.register_platform`) are the same to the router. */
export interface Adapter {
  /** The platform's name, as in `gateway.platforms` and in session keys. */
  readonly name: string;
  /**
   * Begins to take messages, which it hands to `inbox`. Resolves when it does; rejects when the platform cannot be
   * reached now: the gateway says so and tries again, later and later.
   */
  start(inbox: Inbox): Promise<void>;
  /** Takes no more messages. Answers can still be sent until it resolves. */
  stop(): Promise<void>;
  /**
   * Sends a finished text, however long it is. Resolves when the platform has taken it, rejects when it has not: it is
   * sent again then, later and later, unless the error's `permanent` is true (the chat is gone, say).
   */
  send(chat_id: string, text: string, options?: { readonly thread_id?: string | null }): Promise<unknown>;
  /** Begins a message that grows. Absent where the platform cannot edit messages. */
  draft?(target: ReplyTarget): Draft;
}

/** What an adapter gets of the gateway. */
export interface Inbox {
  /**
   * Takes a message. Resolves when it is dealt with: answered, queued into a running turn, refused or skipped; never
   * rejects. The answer goes out through `send` (or the draft), or, when `reply` is given, through that alone: for
   * platforms whose answer is the response to the request, such as HTTP.
   */
  receive(message: InboundMessage, reply?: Reply): Promise<void>;
}

/** Takes the answer to one message instead of the adapter's `send`. */
export interface Reply {
  /**
   * Every frame of the message's turn, as it happens. While hooks listen on `transform_llm_output` there are no `text`
   * frames, so that nobody sees what a hook takes out: the answer comes at the end then.
   */
  readonly onFrame?: (frame: Frame) => void;
  /** The whole answer, or null when there is none (skipped, stopped, failed: `problem` says why then). Called once. */
  readonly onEnd: (answer: { readonly text: string | null; readonly problem: HermesError | null }) => void;
  /** Aborts when nobody waits for the answer any more: the turn is stopped. */
  readonly signal?: AbortSignal;
  /** Where the history of the conversation is the request's own: what came before the message. */
  readonly history?: readonly ChatMessage[];
}
