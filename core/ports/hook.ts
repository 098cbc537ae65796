/** The port of hooks: what every tier makes and dispatch alone runs. */
import type { EventName, Payload } from "#core/events";

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

export type HookOutcome =
  | "pass"
  | "block"
  | "modify"
  | "context"
  | "transform"
  | "skip"
  | "rewrite"
  | "error"
  | "timeout";

/** The record of one run, made once and handed to every sink. */
export interface HookRun {
  /** When it began, in milliseconds since 1970; a wire form is made where one is needed. */
  readonly at: number;
  /** A hook event or a gateway event. */
  readonly event: string;
  readonly source: HookSource;
  readonly name: string;
  readonly command: string | null;
  readonly outcome: HookOutcome;
  /** Why a guard that failed blocked, else null. */
  readonly cause: "error" | "timeout" | null;
  readonly duration_ms: number;
  readonly exit_code: number | null;
  readonly session_id: string;
  /** The block's message or the failure's sentence, for notices and the log; not part of the wire form. */
  readonly detail: string | null;
}

/** Takes the record of every hook run, and the hook that ran. Must not throw and must return at once. */
export type RunSink = (run: HookRun, hook: HookIdentity) => void;
