/** The description of a gateway hook, and the port of a tier that runs its handler (DESIGN, "Trust tiers"). */
import type { KeptSources } from "#core/extensions/sources";
import type { TierName } from "#core/tiers";

/** What a handler in an isolate may do beyond computing and logging. */
export interface Allowances {
  /** Host names that `host.fetch` may reach. */
  readonly fetch: readonly string[];
  /** Environment variables that `host.env` has. */
  readonly env: readonly string[];
  readonly kv: boolean;
}

/** How long the start of a handler's thread or isolate, and the loading of its module, may take. */
export const LOAD_MS = 10_000;

/** The default time limit of one run of a handler. */
export const DEFAULT_TIMEOUT_SECONDS = 30;

/** A gateway hook: a folder with a valid `HOOK.yaml` and a handler. */
export interface GatewayHook {
  /** Its folder's name in `hooks/`, which owns its stored values. */
  readonly directory: string;
  readonly name: string;
  readonly description: string;
  /** Event names and `namespace:*`, as written. */
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly isolation: TierName;
  /** How long one run of the handler may take. */
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly allow: Allowances;
  /** The real path of the folder. */
  readonly folder: string;
  /** The real path of the handler's file. */
  readonly handler: string;
}

/** The files of one version of a hook. */
export interface VersionFiles {
  /** The files that its thread or isolate loads, whenever it starts; without these it reads the disk. */
  readonly sources?: KeptSources | undefined;
}

/** One version of a gateway hook. */
export type HookVersion = GatewayHook & VersionFiles;

/** What a code check needs to know about a hook. */
export type HookCode = Pick<GatewayHook, "folder" | "handler"> & VersionFiles;

/**
 * Finds the first problem in a handler, the files that it imports, and those `beside` it, without running any; null
 * when there is none. Never rejects.
 */
export type CodeCheck = (hook: HookVersion, beside?: readonly string[]) => Promise<string | null>;

/** Why a tier cannot run anything on this machine, as a clause; null when it can. Never rejects. */
export type TierCheck = (name: TierName) => Promise<string | null>;

/** How a line of output is logged. */
export type OutputLevel = "debug" | "info" | "warn" | "error";

/** What a tier reports about a handler in addition to its answers. */
export interface HandlerReport {
  /** Output of the handler (`console.*`, `host.log.*`), a line at a time. */
  readonly onOutput: (level: OutputLevel, text: string) => void;
  /** An uncaught error of the handler: an unhandled rejection, an error in a timer. */
  readonly onStray: (problem: string) => void;
  /** It gets no more events until it is reloaded; the reason, a clause whose "it" is the handler. Called once. */
  readonly onOff?: (problem: string) => void;
  /** Its thread or isolate is being started, which is not part of a run's time. */
  readonly onLoading?: () => void;
  /** Its module has been loaded. */
  readonly onLoaded?: () => void;
}

/** Runs the handler of one folder, one event at a time, which its queue ensures. */
export interface Handler {
  /**
   * Runs `handle(event_type, context)` and resolves with its answer, a JSON value, or null. The handler gets a copy of
   * `context`, which is JSON data. Rejects with a HermesError: HERMES_HANDLER_FAILED when it throws,
   * HERMES_HANDLER_TIMEOUT at its deadline (it has been stopped by then), HERMES_HANDLER_DIED when its thread or
   * process died, HERMES_HANDLER_UNUSABLE when it has no `handle` or its module cannot be loaded within
   * {@link LOAD_MS}. After any of these
   * the next run starts normally.
   */
  run(event_type: string, context: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Like `run`, for a context that is already JSON text; saves a tier from parsing and serialising. */
  runText?(event_type: string, context: string): Promise<unknown>;
  /** Stops everything that runs for it. A reload closes the old handler and opens a new one. */
  close(): Promise<void>;
}

/**
 * A tier, such as the worker pool. It starts at the first event that needs it, or when it is prepared; without hooks it
 * costs nothing.
 */
export interface HandlerTier extends AsyncDisposable {
  readonly source: TierName;
  /** Starts what its first event would wait for; called for a tier that `startsAhead`. Never throws. */
  prepare?(): void;
  open(hook: HookVersion, report: HandlerReport): Handler;
}
