/** What a folder of `hooks/` says, and the port of the two tiers that run its handler (DESIGN, "Trust tiers"). */

/** What a handler in an isolate may do beyond computing and logging. */
export interface Allowances {
  /** Host names that `host.fetch` may reach. */
  readonly fetch: readonly string[];
  /** Variables of the environment that `host.env` shows. */
  readonly env: readonly string[];
  readonly kv: boolean;
}

/** How long one run of a handler may take where neither its hook nor the configuration says. */
export const DEFAULT_TIMEOUT_SECONDS = 30;

/** A gateway hook: a folder with a good `HOOK.yaml` and a handler. */
export interface GatewayHook {
  readonly name: string;
  readonly description: string;
  /** Event names and `namespace:*`, as written. */
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly isolation: "worker" | "isolate";
  /** How long one run of the handler may take. */
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly allow: Allowances;
  /** The real path of the folder. */
  readonly folder: string;
  /** The real path of the handler's file. */
  readonly handler: string;
}

/** What a check of code needs to know of a hook. */
export type HookCode = Pick<GatewayHook, "folder" | "handler" | "isolation">;

/**
 * Finds the first problem of a handler, of the files that it imports, and of those `beside` it, without running any;
 * null when there is none. Never rejects.
 */
export type CodeCheck = (hook: HookCode, beside?: readonly string[]) => Promise<string | null>;

/** What a tier tells of a handler beside its answers. */
export interface HandlerReport {
  /** Output of the handler (`console.*`, `host.log.*`), a line at a time. */
  readonly onOutput: (level: "debug" | "info" | "warn" | "error", text: string) => void;
  /** An error that the handler left behind: a rejection nobody caught, a throw in a timer. */
  readonly onStray: (problem: string) => void;
}

/** Runs the handler of one folder, one event at a time: the queue above it sees to that. */
export interface Handler {
  /**
   * Runs `handle(event_type, context)` and gives its answer, a JSON value, or null. `context` is JSON data that the
   * handler gets a copy of. Rejects with a HermesError: HERMES_HANDLER_FAILED for a throw, HERMES_HANDLER_TIMEOUT at
   * its deadline (whatever ran is gone when it rejects), HERMES_HANDLER_DIED when its thread or process died,
   * HERMES_HANDLER_UNUSABLE when there is no `handle` or its module cannot be loaded. After any of them the next run
   * works again, as far as the handler itself does.
   */
  run(event_type: string, context: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** As `run`, for a context that is JSON text already; a tier that has it spares both sides the way over objects. */
  runText?(event_type: string, context: string): Promise<unknown>;
  /** Ends what runs for it. A reload closes the old handler and opens a new one. */
  close(): Promise<void>;
}

/** A tier: the worker pool or the isolate host. Both are made lazily; an idle tier costs nothing. */
export interface HandlerTier extends AsyncDisposable {
  readonly source: "worker" | "isolate";
  open(hook: GatewayHook, report: HandlerReport): Handler;
}
