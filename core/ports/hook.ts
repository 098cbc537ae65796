/** The port of hooks: every tier creates them, and only dispatch runs them. */
import type { EventName, Payload } from "#core/events";
import type { TierName } from "#core/tiers";

/** Where a hook's code lives. */
export type HookSource = "plugin" | "shell" | TierName;

/** Where an event comes from, beyond its payload; for hooks of protocols that tell agents apart. */
export interface FiringOrigin {
  /** The session that the user talks to. */
  readonly user_session_id: string;
  /** The agent that the user does not talk to: a child agent or a turn of a plugin. Absent for the user's own. */
  readonly agent?: { readonly id: string; readonly type: string };
  /** True when a gate blocked the tool call that the event is about. */
  readonly blocked?: boolean;
}

/**
 * One event on its way through its hooks. It has the payload and creates other forms of it lazily and once,
 * so that forms that nobody needs cost nothing.
 */
export interface Firing<Name extends EventName = EventName> {
  readonly event: Name;
  /** The payload itself, only for the host: hooks get one of the forms below. */
  readonly payload: Payload<Name>;
  readonly session_id: string;
  /** Of the tool events; null for the others. */
  readonly tool_name: string | null;
  readonly tool_call_id: string | null;
  /** Absent where nobody knows it, as in `hermes hooks test`. */
  readonly origin?: FiringOrigin | undefined;
  /** The deeply frozen payload for callbacks in this process; live fields are passed by reference. */
  frozen(): Readonly<Payload<Name>>;
  /** A form created by its owner (such as a script's JSON document), once per firing and key. */
  form<Form>(key: symbol, make: (payload: Payload<Name>) => Form): Form;
}

/** The result of a hook's run. A failing run throws or rejects instead. */
export interface HookReply {
  /** The hook's raw answer; only `core/answers.ts` validates it. */
  readonly answer?: unknown;
  /** Set when the run failed, although there may be an answer (such as exit 1 with a block on stdout). */
  readonly failure?: unknown;
  /** The dialect of the answer: scripts may use `decision` for `action`. */
  readonly dialect?: "plugin" | "shell";
  readonly exit_code?: number | null;
  /** A remark that decides nothing, for the record of the run. */
  readonly note?: string;
  /** A message for the user, shown on every surface; it decides nothing either. */
  readonly notice?: string;
}

/** The reply of a hook without anything to say. */
export const NO_REPLY: HookReply = Object.freeze({});

/** What users see of a hook, in the log of runs, in live snapshots, and in the frames of a turn. */
export interface HookIdentity {
  readonly source: HookSource;
  /** The plugin's name, the entry's or folder's `name`, or the command. */
  readonly name: string;
  /** A hook event, a gateway event, or `namespace:*`. */
  readonly event: string;
  /** The command of a shell hook, else null. */
  readonly command: string | null;
  /** The entry's matcher as written, for display; null or absent when there is none. */
  readonly matcher?: string | null;
  /** How many events a full queue has dropped so far; absent for hooks without a queue. */
  readonly dropped?: number;
}

/** Anything that runs at a hook event: every tier creates hooks, and only dispatch runs them. */
export interface Hook extends HookIdentity {
  readonly event: EventName;
  /** What its failure does if the event leaves the choice to the hook. */
  readonly onFailure: "skip" | "block";
  /** How long dispatch waits for a promise, in seconds; null for a hook with its own limit. */
  readonly deadlineSeconds: number | null;
  /** True for a hook that may run in parallel with other such hooks of an observed event. */
  readonly sideBySide: boolean;
  /** True for an observer that the firing does not wait for. */
  readonly background: boolean;
  /** True for a hook that another hook brings along: lists show that one alone. */
  readonly derived?: true;
  matches(firing: Firing): boolean;
  run(firing: Firing, signal: AbortSignal): HookReply | Promise<HookReply>;
}

export type HookOutcome =
  | "pass"
  | "block"
  | "modify"
  | "context"
  | "transform"
  | "skip"
  | "rewrite"
  | "ask"
  | "error"
  | "timeout";

/** The record of one run, created once and passed to every sink. */
export interface HookRun {
  /** When it started, in milliseconds since 1970. */
  readonly at: number;
  /** A hook event or a gateway event. */
  readonly event: string;
  readonly source: HookSource;
  readonly name: string;
  readonly command: string | null;
  readonly outcome: HookOutcome;
  /** Why a failed guard blocked, else null. */
  readonly cause: "error" | "timeout" | null;
  readonly duration_ms: number;
  readonly exit_code: number | null;
  readonly session_id: string;
  /** Of the tool events; null for the others. */
  readonly tool_name: string | null;
  readonly tool_call_id: string | null;
  /** The message of the block or failure, and what the hook remarked. May hold secrets. */
  readonly detail: string | null;
  /** The hook's message for the user, which is in `detail`, too; absent when there is none. */
  readonly notice?: string;
}

/** Takes the record of every hook run, and the hook. Must not throw and must return immediately. */
export type RunSink = (run: HookRun, hook: HookIdentity) => void;
