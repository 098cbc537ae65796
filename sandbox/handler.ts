/**
 * The types of a gateway hook's handler: `import type { … } from "hermes-hooks/handler"`. Only types: a handler needs
 * nothing of hermes to run. docs/gateway-hooks.md is the guide.
 */

/** What every context has, except that of `gateway:startup`. */
interface AnyContext {
  /** The platform of the conversation, such as `telegram`. */
  readonly platform: string;
  /** The sender's ID on the platform; empty if there is none. */
  readonly user_id: string;
  /** The session; empty if there is none yet. */
  readonly session_id: string;
}

/** The contexts of the gateway's events. */
export interface GatewayContexts {
  /** The gateway has started. */
  readonly "gateway:startup": {
    /** The names of the running platforms. */
    readonly platforms: readonly string[];
  };
  /** The first message of a session. */
  readonly "session:start": SessionContext;
  /** A session ends or is reset. */
  readonly "session:end": SessionContext;
  /** After `/new` or `/reset`. */
  readonly "session:reset": SessionContext;
  /** The agent starts on a message. */
  readonly "agent:start": AnyContext & {
    /** The user's message, in full. */
    readonly message: string;
  };
  /** After each model request of a turn. */
  readonly "agent:step": AnyContext & {
    /** The number of the request in its turn, starting at 1. */
    readonly iteration: number;
    /** The tools that the model calls now. */
    readonly tool_names: readonly string[];
  };
  /** The agent finishes a message. */
  readonly "agent:end": AnyContext & {
    /** The user's message, in full. */
    readonly message: string;
    /** The agent's answer. */
    readonly response: string;
  };
  /** Before a slash command runs. The handler may return a {@link CommandDecision}. */
  readonly [command: `command:${string}`]: CommandContext;
}

/** The context of a session's events. */
export interface SessionContext extends AnyContext {
  /** Names the conversation on its platform. */
  readonly session_key: string;
}

/** The context of `command:<name>`. */
export interface CommandContext extends AnyContext {
  /** The command's name, without the slash. */
  readonly command: string;
  /** The text after the command. */
  readonly args: string;
}

/** The name of an event that the gateway emits. Plugins may emit further ones. */
export type GatewayEvent = keyof GatewayContexts;

/** The context of an event; of several ones, what they have in common. */
export type Context<Event extends GatewayEvent = GatewayEvent> = GatewayContexts[Event];

/** What a handler of `command:<name>` may return. The first decision wins; nothing lets the command run. */
export type CommandDecision =
  /** The command does not run; `message` says why. */
  | { readonly decision: "deny"; readonly message?: string }
  /** The command does not run; `message` is the answer. */
  | { readonly decision: "handled"; readonly message?: string }
  /** Another command runs instead. */
  | { readonly decision: "rewrite"; readonly command_name: string; readonly raw_args: string };

type Nothing = void | undefined | null;

/**
 * The function `handle` of a handler that listens to these events, with these grants. `host` is there with
 * `isolation: isolate` only.
 */
export type Handler<Event extends GatewayEvent = GatewayEvent, Grants extends Grant = never> = (
  event_type: Event,
  context: Context<Event>,
  host: HostWith<Grants>,
) => Nothing | CommandDecision | Promise<Nothing | CommandDecision>;

/** What an isolated handler can do outside of its isolate: what `allow` in its `HOOK.yaml` grants. */
export interface Host {
  /** Writes to `logs/hermes.log` under the hook's name; `console` does the same. */
  readonly log: Readonly<Record<"debug" | "info" | "warn" | "error", (...values: readonly unknown[]) => void>>;
  /** A store of texts that outlasts the isolate. Granted by `kv: true`, else undefined. */
  readonly kv?: HostStore;
  /** Requests to the hosts that are named. Granted by `fetch: [hosts]`, else undefined. */
  readonly fetch?: (url: string, init?: HostRequest) => Promise<HostResponse>;
  /** The named variables that are set. Granted by `env: [NAMES]`, else undefined. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What `allow` can grant. */
export type Grant = "kv" | "fetch" | "env";

/** The host of a handler with these grants: `HostWith<"kv" | "fetch">`. */
export type HostWith<Grants extends Grant> = Host & Required<Pick<Host, Grants>>;

/** The store of one hook folder. */
export interface HostStore {
  /** The text of a key; null if it does not exist. */
  readonly get: (key: string) => Promise<string | null>;
  /** Stores a text: at most 64 KiB, and 1 MiB together. */
  readonly set: (key: string, text: string) => Promise<void>;
  /** True if the key existed. */
  readonly delete: (key: string) => Promise<boolean>;
}

/** A request of `host.fetch`. */
export interface HostRequest {
  /** `GET` when absent. */
  readonly method?: string;
  /** An object, or pairs of name and value. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Text of at most 1 MiB. */
  readonly body?: string | null;
}

/** The response of `host.fetch`. */
export interface HostResponse {
  /** The HTTP status. */
  readonly status: number;
  /** True for a status from 200 to 299. */
  readonly ok: boolean;
  /** By lower-case name; `get` takes any case. */
  readonly headers: Readonly<Record<string, string>> & { readonly get: (name: string) => string | null };
  /** The body as text. */
  readonly text: () => Promise<string>;
  /** The body, parsed as JSON. */
  readonly json: () => Promise<unknown>;
}
