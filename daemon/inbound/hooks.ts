/** The configured inbound webhooks with their defaults filled in. */
import { resolve } from "node:path";
import { INBOUND_DEFAULTS, listenerOf, type InboundSettings, type Verification } from "#core/home/inbound-settings";
import { parseAddress } from "#core/home/logging-settings";
import type { WallProfile } from "#core/ports/wall";

export interface InboundHook {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The same for all hooks that share a listener. */
  readonly listener: string;
  /** `*` for every path without a hook of its own. */
  readonly path: string;
  readonly methods: readonly string[];
  /** As configured: what an approval names. */
  readonly script: string;
  /** Its absolute path. */
  readonly file: string;
  readonly timeoutSeconds: number;
  readonly verify: Verification;
  readonly secret: string;
  readonly env: readonly string[];
  /** Bytes. */
  readonly maxBody: number;
  readonly concurrency: number;
  readonly queue: number;
  /** Requests a minute; null for no limit. */
  readonly rateLimit: number | null;
  readonly dedupHeader: string | null;
  /** True for a hook that answers 202 before its script runs. */
  readonly answersFirst: boolean;
  readonly scriptAnswers: boolean;
  readonly coalesce: { readonly key: string; readonly windowMs: number } | null;
  readonly sandbox: WallProfile | null;
}

/** Where relative paths and `~` lead. */
export interface HookPlace {
  readonly cwd: string;
  readonly userHome: string;
}

export function configuredHooks(settings: readonly InboundSettings[] = [], place: HookPlace): readonly InboundHook[] {
  return settings.map((hook) => hookOf(hook, place));
}

function hookOf(settings: InboundSettings, place: HookPlace): InboundHook {
  const { coalesce, script } = settings;
  // A bind that names a variable that is not set; such a hook is never started.
  const { host, port } = parseAddress(settings.bind) ?? { host: settings.bind, port: 0 };
  return {
    name: settings.name,
    host: host.toLowerCase() === "localhost" ? "127.0.0.1" : host,
    port,
    listener: listenerOf(settings.bind),
    path: settings.path ?? INBOUND_DEFAULTS.path,
    methods: settings.methods ?? INBOUND_DEFAULTS.methods,
    script,
    file: resolve(place.cwd, /^~(?=\/|$)/.test(script) ? place.userHome + script.slice(1) : script),
    timeoutSeconds: settings.timeout ?? INBOUND_DEFAULTS.timeout,
    verify: settings.verify ?? "none",
    secret: settings.secret ?? "",
    env: settings.env ?? [],
    maxBody: settings.max_body ?? INBOUND_DEFAULTS.max_body,
    concurrency: settings.concurrency ?? INBOUND_DEFAULTS.concurrency,
    queue: settings.queue ?? INBOUND_DEFAULTS.queue,
    rateLimit: settings.rate_limit ?? null,
    dedupHeader: settings.dedup_header?.toLowerCase() ?? null,
    answersFirst: settings.async === true || coalesce !== undefined,
    scriptAnswers: settings.respond === "script",
    coalesce: coalesce === undefined ? null : { key: coalesce.key, windowMs: coalesce.window_seconds * 1000 },
    sandbox: (settings.sandbox as WallProfile | undefined) ?? null,
  };
}
