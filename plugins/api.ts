/**
 * All that the author of a plugin imports: `import { definePlugin } from "hermes-hooks/plugin"`.
 * Everything but {@link definePlugin} is a type. docs/plugins.md is the guide.
 */
import type { Answer as CoreAnswer } from "#core/answers";
import type { EventName, Payload as CorePayload } from "#core/events";
import type {
  Adapter as PlatformAdapter,
  Draft,
  Inbox,
  InboundMessage,
  MessageSource,
  Reply,
  ReplyTarget,
} from "#core/ports/platform";

export type { EventName } from "#core/events";
export type { Draft, Inbox, InboundMessage, MessageSource, PlatformAdapter, Reply, ReplyTarget };
export type { AllowAnswer, BlockAnswer, ContextAnswer, ModifyAnswer, RewriteAnswer, SkipAnswer } from "#core/answers";

/** A type whose every part, however deep, is `readonly`. */
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
  readonly send: (chat_id: string, text: string) => Promise<unknown>;
}

/** The running gateway, as `pre_gateway_dispatch` hands it over: live, not a copy. */
export interface Gateway {
  /** The platforms that run, by name: `gateway.adapters["telegram"]?.send(chat_id, text)`. */
  readonly adapters: Readonly<Record<string, GatewayAdapter>>;
}

/** The conversations of the gateway, as `pre_gateway_dispatch` hands them over: live, not a copy. */
export interface SessionStore {
  /** Adds a message to a conversation without a turn of the agent. */
  readonly append_to_transcript: (
    session_id: string,
    message: { readonly role: string; readonly content: string },
  ) => unknown;
}

/** The live fields of the events that have some. */
interface LiveFields {
  readonly pre_gateway_dispatch: { readonly gateway: Gateway; readonly session_store: SessionStore };
}

/**
 * What the callback of an event gets: one object, frozen all the way down.
 * `Payload<"pre_tool_call">`, say, has `tool_name`, `args`, `task_id`, `session_id` and `tool_call_id`.
 */
export type Payload<Name extends EventName> = DeepReadonly<CorePayload<Name>> &
  (Name extends keyof LiveFields ? LiveFields[Name] : unknown);

/** What the callback of an event may answer. Nothing at all is always fine; what observers answer is ignored. */
export type Answer<Name extends EventName> = CoreAnswer<Name>;

/** By event, so that the type checker looks a callback up instead of deciding on it: literals keep their types so. */
type Callbacks = {
  readonly [Name in EventName]: (payload: Payload<Name>) => Answer<Name> | Promise<Answer<Name>>;
};

/** A callback of an event, synchronous or not. `plugins.callback_timeout_seconds` bounds it. */
export type HookCallback<Name extends EventName> = Callbacks[Name];

/** Takes back what a `register_…` or `on` did. Calling it twice does no harm. */
export type Unregister = () => void;

/** The circumstances of one call of a plugin's tool. */
export interface ToolCallInfo {
  /** The call; the same in every event of it. */
  readonly tool_call_id: string;
  /** The session that the call belongs to. */
  readonly session_id: string;
  /** The agent's working folder. */
  readonly cwd: string;
  /** Aborts when the person stops the turn: hand it to `fetch` and its like. */
  readonly signal: AbortSignal;
}

/** A tool that the model may call. */
export interface ToolDefinition {
  /** Letters, digits, `_` and `-`, at most 64. A built-in tool's name is refused with a warning. */
  readonly name: string;
  /** Tells the model what the tool does and when to use it. */
  readonly description: string;
  /** JSON Schema of the arguments; `type: "object"` at the top. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The value becomes the result's JSON; a throw becomes `{"error": message}`. */
  readonly handler: (args: Readonly<Record<string, unknown>>, call: ToolCallInfo) => unknown;
}

/** A slash command of the chat. */
export interface CommandDefinition {
  /** Without the slash: letters, digits, `_` and `-`. A built-in command's name is refused with a warning. */
  readonly name: string;
  /** One line for `/help`. */
  readonly description: string;
  /** Gets what stands behind the command, trimmed; the string that it gives back is printed. */
  readonly handler: (args: string) => string | void | undefined | null | Promise<string | void | undefined | null>;
}

/** What a turn that a plugin asked for came to. */
export interface PluginTurn {
  /** The agent's final answer; null when there was none. */
  readonly text: string | null;
  /** True when the turn ended with an answer. */
  readonly completed: boolean;
  /** True when the person stopped it. */
  readonly interrupted: boolean;
}

/** Writes to `logs/hermes.log` with the plugin's name. Values are put in as `console.log` does, `%s` included. */
export interface PluginLogger {
  /** Detail for whoever looks for a fault; written with `--log-level debug` only. */
  readonly debug: (message: unknown, ...values: readonly unknown[]) => void;
  /** What happened. */
  readonly info: (message: unknown, ...values: readonly unknown[]) => void;
  /** What is odd, yet goes on. */
  readonly warn: (message: unknown, ...values: readonly unknown[]) => void;
  /** What failed. */
  readonly error: (message: unknown, ...values: readonly unknown[]) => void;
}

/** What `register` gets: everything that a plugin can do. */
export interface PluginContext {
  /** The plugin's name, as its `plugin.yaml` says. */
  readonly name: string;
  /** The plugin's folder. */
  readonly directory: string;
  /** The home of hermes, where `config.yaml` lies. */
  readonly home: string;
  /** `plugins.entries.<plugin>.settings` of `config.yaml`, frozen, with every `${NAME}` filled in; `{}` without one. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The log of this plugin. */
  readonly logger: PluginLogger;

  /** Adds a callback to an event of docs/events.md. An unknown name is warned about and registers nothing. */
  readonly register_hook: <Name extends EventName>(name: Name, callback: HookCallback<Name>) => Unregister;
  /** The same as `register_hook`. */
  readonly registerHook: <Name extends EventName>(name: Name, callback: HookCallback<Name>) => Unregister;
  /** Adds a tool for the model. Throws a TypeError for a definition that is none. */
  readonly register_tool: (tool: ToolDefinition) => Unregister;
  /** Adds a slash command. Throws a TypeError for a definition that is none. */
  readonly register_command: (command: CommandDefinition) => Unregister;
  /** Adds a messaging platform; it runs where the gateway runs. */
  readonly register_platform: (adapter: PlatformAdapter) => Unregister;

  /** Emits a gateway event, `namespace:name`, to everyone who listens; settles when all have run. */
  readonly emit: (event: string, context?: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Listens to a gateway event, or with `namespace:*` to all of a namespace. */
  readonly on: (
    event: string,
    handler: (event_type: string, context: Record<string, unknown>) => unknown,
  ) => Unregister;
  /** Runs a turn of the agent in a session of its own. Rejects where the program runs no turns. */
  readonly run_turn: (request: { readonly prompt: string }) => Promise<PluginTurn>;
  /** Sends a message to the home channel. Rejects where there is none. */
  readonly deliver: (text: string) => Promise<void>;
  /** Runs `callback` when the plugin is unloaded and at the end of the program, the last added first, each bounded in time. */
  readonly on_unload: (callback: () => unknown) => void;
}

/** A plugin as {@link definePlugin} takes it: callbacks, and a `register` for the rest. Either is enough. */
export interface PluginDefinition {
  /** Callbacks by event. They are registered before `register` runs. */
  readonly hooks?: { readonly [Name in EventName]?: HookCallback<Name> };
  /** Runs once, when the plugin is loaded. May be async; it is bounded like a callback. */
  readonly register?: (ctx: PluginContext) => void | Promise<void>;
}

/**
 * Gives the definition back as it is: it exists so that an editor knows every name and type in it.
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
