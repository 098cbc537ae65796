/**
 * Everything that a plugin's author imports: `import { definePlugin } from "hermes-hooks/plugin"`.
 * Everything but {@link definePlugin} is a type. docs/plugins.md is the guide.
 */
import type { Answer as CoreAnswer } from "#core/answers";
import type { EventName } from "#core/events";
import type { EventPayloads } from "#core/event-payloads";
import type { CommandRules, RuleSuggestion } from "#core/ports/command-rules";
import type {
  Adapter as PlatformAdapter,
  Draft,
  Inbox,
  InboundMessage,
  MessageSource,
  Reply,
  ReplyButton,
  ReplyButtons,
  ReplyTarget,
  SendOptions,
} from "#core/ports/platform";

export type { EventName } from "#core/events";
export type { Draft, Inbox, InboundMessage, MessageSource, PlatformAdapter, Reply, ReplyTarget };
export type { ReplyButton, ReplyButtons, SendOptions };
export type { CommandRules, RuleSuggestion };
export type { AskChoice } from "#core/ports/question";
export type {
  AllowAnswer,
  AskAnswer,
  BlockAnswer,
  ContextAnswer,
  ModifyAnswer,
  RewriteAnswer,
  SkipAnswer,
} from "#core/answers";

/** Makes a type deeply `readonly`. */
export type DeepReadonly<Value> = Value extends (...input: never) => unknown
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
      : Value;

/** One messaging platform of the running gateway. */
export interface GatewayAdapter {
  /** Sends a message to a chat of the platform; rejects when the platform refuses it. */
  readonly send: (chat_id: string, text: string, options?: SendOptions) => Promise<unknown>;
}

/** The running gateway, in the payload of `pre_gateway_dispatch`: live, not a copy. */
export interface Gateway {
  /** The running platforms by name: `gateway.adapters["telegram"]?.send(chat_id, text)`. */
  readonly adapters: Readonly<Record<string, GatewayAdapter>>;
}

/** The gateway's conversations, in the payload of `pre_gateway_dispatch`: live, not a copy. */
export interface SessionStore {
  /** Adds a message to a conversation without running a turn. */
  readonly append_to_transcript: (
    session_id: string,
    message: { readonly role: string; readonly content: string },
  ) => unknown;
}

/** The live fields of events. */
interface LiveFields {
  readonly pre_gateway_dispatch: {
    /** The running gateway: live, not a copy. */
    readonly gateway: Gateway;
    /** The gateway's conversations: live, not a copy. */
    readonly session_store: SessionStore;
  };
}

/**
 * The argument of an event's callback: a deeply frozen object. For example,
 * `Payload<"pre_tool_call">` has `tool_name`, `args`, `task_id`, `session_id` and `tool_call_id`.
 */
export type Payload<Name extends EventName> = DeepReadonly<EventPayloads[Name]> &
  (Name extends keyof LiveFields ? LiveFields[Name] : unknown);

/** The possible answers of an event's callback. No answer is always fine; answers of observers are ignored. */
export type Answer<Name extends EventName> = CoreAnswer<Name>;

/** A map by event, so that the type checker looks the callback up and literals keep their types. */
type Callbacks = {
  readonly [Name in keyof EventPayloads]: (payload: Payload<Name>) => Answer<Name> | Promise<Answer<Name>>;
};

/** A callback of an event, synchronous or async. `plugins.callback_timeout_seconds` limits its time. */
export type HookCallback<Name extends EventName> = Callbacks[Name];

/** Undoes a `register_…` or `on`. It may be called more than once. */
export type Unregister = () => void;

/** The context of one call of a plugin's tool. */
export interface ToolCallInfo {
  /** The call's ID; all events of the call have the same. */
  readonly tool_call_id: string;
  /** The ID of the session that the call belongs to. */
  readonly session_id: string;
  /** The agent's working directory. */
  readonly cwd: string;
  /** Aborts when the user stops the turn; pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
}

/** A tool that the model may call. */
export interface ToolDefinition {
  /** Letters, digits, `_` and `-`, at most 64. The name of a built-in tool is refused with a warning. */
  readonly name: string;
  /** Tells the model what the tool does and when to use it. */
  readonly description: string;
  /** The JSON Schema of the arguments, with `type: "object"` at the top. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The returned value becomes the result's JSON; a thrown error becomes `{"error": message}`. */
  readonly handler: (args: Readonly<Record<string, unknown>>, call: ToolCallInfo) => unknown;
}

/** A slash command of the chat. */
export interface CommandDefinition {
  /** Without the slash: letters, digits, `_` and `-`. The name of a built-in command is refused with a warning. */
  readonly name: string;
  /** One line for `/help`. */
  readonly description: string;
  /** Gets the text after the command, trimmed; the string it returns is printed. */
  readonly handler: (args: string) => string | void | undefined | null | Promise<string | void | undefined | null>;
}

/** The result of a turn that a plugin ran. */
export interface PluginTurn {
  /** The agent's final answer; null when there was none. */
  readonly text: string | null;
  /** Why the model ended that answer: `stop`, `length`, `content_filter`, …; null when there was none. */
  readonly finish_reason: string | null;
  /** A sentence about an answer that is empty or incomplete, else null. */
  readonly notice: string | null;
  /** True when the turn ended with an answer. */
  readonly completed: boolean;
  /** True when the user stopped it. */
  readonly interrupted: boolean;
}

/** Writes to `logs/hermes.log` with the plugin's name. Formats values like `console.log`, including `%s`. */
export interface PluginLogger {
  /** Details for debugging; only written with `--log-level debug`. */
  readonly debug: (message: unknown, ...values: readonly unknown[]) => void;
  /** What happened. */
  readonly info: (message: unknown, ...values: readonly unknown[]) => void;
  /** A problem that does not stop the plugin. */
  readonly warn: (message: unknown, ...values: readonly unknown[]) => void;
  /** A failure. */
  readonly error: (message: unknown, ...values: readonly unknown[]) => void;
}

/** The argument of `register`: everything that a plugin can do. */
export interface PluginContext {
  /** The plugin's name from its `plugin.yaml`. */
  readonly name: string;
  /** The plugin's folder. */
  readonly directory: string;
  /** The hermes home, which contains `config.yaml`. */
  readonly home: string;
  /** `plugins.entries.<plugin>.settings` of `config.yaml`, frozen, with every `${NAME}` replaced; `{}` when absent. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The plugin's log. */
  readonly logger: PluginLogger;

  /** Adds a callback for an event of docs/events.md. An unknown name causes a warning and registers nothing. */
  readonly register_hook: <Name extends EventName>(name: Name, callback: HookCallback<Name>) => Unregister;
  /** The same as `register_hook`. */
  readonly registerHook: <Name extends EventName>(name: Name, callback: HookCallback<Name>) => Unregister;
  /** Adds a tool for the model. Throws a TypeError for an invalid definition. */
  readonly register_tool: (tool: ToolDefinition) => Unregister;
  /** Adds a slash command. Throws a TypeError for an invalid definition. */
  readonly register_command: (command: CommandDefinition) => Unregister;
  /** Adds a messaging platform; it runs where the gateway runs. */
  readonly register_platform: (adapter: PlatformAdapter) => Unregister;

  /** Emits a gateway event, `namespace:name`, to all listeners; settles when all of them have run. */
  readonly emit: (event: string, context?: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Listens to a gateway event, or to all events of a namespace with `namespace:*`. */
  readonly on: (
    event: string,
    handler: (event_type: string, context: Record<string, unknown>) => unknown,
  ) => Unregister;
  /** The commands that the user allowed for good (`approvals.json`), judged on their shell words. */
  readonly command_rules: CommandRules;
  /** Runs a turn of the agent in its own session. Rejects where the program runs no turns. */
  readonly run_turn: (request: { readonly prompt: string }) => Promise<PluginTurn>;
  /** Sends a message to the home channel. Rejects when there is none. */
  readonly deliver: (text: string) => Promise<void>;
  /** Runs `callback` when the plugin is unloaded and when the program exits; last added first, each with a time limit. */
  readonly on_unload: (callback: () => unknown) => void;
}

/** A plugin definition: callbacks, and a `register` function for everything else. Either is enough. */
export interface PluginDefinition {
  /** Callbacks by event. They are registered before `register` runs. */
  readonly hooks?: { readonly [Name in keyof EventPayloads]?: HookCallback<Name> };
  /** Runs once, when the plugin is loaded. May be async; has the time limit of a callback. */
  readonly register?: (ctx: PluginContext) => void | Promise<void>;
}

/**
 * Returns the definition unchanged, so that editors know every name and type in it.
 *
 *     export default definePlugin({
 *       hooks: {
 *         pre_tool_call({ tool_name }) {
 *           if (tool_name === "terminal") return { action: "block", message: "No shell today." };
 *         },
 *       },
 *     });
 */
export function definePlugin(definition: PluginDefinition): PluginDefinition {
  return definition;
}
