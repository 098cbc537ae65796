/** Finds the gateway hooks of a home, without executing their code. */
import { basename } from "node:path";
import {
  discoverExtensions,
  ManifestCache,
  refuseNamesakes,
  type EntryChoice,
  type ExtensionKind,
  type FoundExtension,
} from "#core/extensions/discover";
import type { GatewayHook } from "#core/ports/tier";
import { TIERS, UNSUPPORTED_HANDLERS } from "#core/tiers";
import { HOOK_FORMAT, type HookManifest } from "./manifest.ts";
import type { GatewayHookSettings } from "./settings.ts";
import { findTrustDoubts, holdToGrants } from "./untrusted.ts";

/** A folder in `hooks/`, whose hook is usable or not. */
export type FoundGatewayHook =
  | {
      readonly kind: "hook";
      /** The folder's name under `hooks/`. */
      readonly directory: string;
      /** As it runs: within the bounds that the configuration sets. */
      readonly hook: GatewayHook;
      /** True when the configuration holds it to the isolate and its grants. */
      readonly untrusted: boolean;
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: "skipped";
      readonly directory: string;
      /** The manifest's name, else that of the folder. */
      readonly name: string;
      /** The reason, with file and line if known. */
      readonly reason: string;
      /** True when there is no hook any more, not even a broken one. */
      readonly gone: boolean;
    };

export interface GatewayHookDiscovery {
  /** By folder name. */
  readonly hooks: readonly FoundGatewayHook[];
  /** What is wrong with `hooks/` itself, or with what the configuration says of it. */
  readonly warnings: readonly string[];
}

export interface DiscoverOptions {
  readonly settings: GatewayHookSettings;
  /** Manifests of an earlier discovery: unchanged ones are not parsed again. */
  readonly known?: ManifestCache<HookManifest>;
  /** The folders of running hooks by name: a new folder does not take a name away from them. */
  readonly holders?: ReadonlyMap<string, string>;
}

const HANDLERS = handlersOf(TIERS);

const KIND: ExtensionKind<HookManifest> = {
  ...HOOK_FORMAT,
  noun: "gateway hooks",
  manifestFile: "HOOK.yaml",
  chooseEntry,
};

/** Reads `parent` (the home's `hooks/`); if it is missing, there are no hooks. Never throws. */
export async function discoverGatewayHooks(
  parent: string,
  { settings, known = new ManifestCache(), holders }: DiscoverOptions,
): Promise<GatewayHookDiscovery> {
  const { found, warnings } = await discoverExtensions({ parent, kind: KIND, known });
  const described = found.map((one) => describe(one, settings));
  const hooks = refuseNamesakes<FoundGatewayHook>(described, {
    parent,
    manifestFile: KIND.manifestFile,
    holders,
    nameOf: (one) => (one.kind === "hook" && one.hook.enabled ? one.hook.name : undefined),
    stays: (one) => one.kind === "skipped" && !one.gone,
    refuse: ({ directory }, name, reason) => ({ kind: "skipped", directory, name, reason, gone: true }),
  });
  const doubts = findTrustDoubts(
    settings,
    found.map(({ directory }) => directory),
  );
  return { hooks, warnings: [...warnings, ...doubts] };
}

function describe(found: FoundExtension<HookManifest>, settings: GatewayHookSettings): FoundGatewayHook {
  const { directory, manifest } = found;
  const name = manifest?.name ?? directory;
  if (found.kind === "broken") return { kind: "skipped", directory, name, reason: found.problem, gone: found.gone };
  const { warnings, vainAllow, isolation: asked, timeoutSeconds, ...keys } = found.manifest;
  const wanted: GatewayHook = {
    ...keys,
    directory,
    name,
    isolation: asked ?? tiersOf(basename(found.entry))[0]!.name,
    timeoutSeconds: timeoutSeconds ?? settings.timeoutSeconds,
    folder: found.real.folder,
    handler: found.real.entry,
  };
  const held = holdToGrants(wanted, asked, settings);
  const vain = held.untrusted || vainAllow === null ? [] : [vainAllow];
  const exposed = found.exposed === null ? [] : [found.exposed];
  return { kind: "hook", directory, ...held, warnings: [...warnings, ...vain, ...held.warnings, ...exposed] };
}

function chooseEntry(folder: string, files: ReadonlySet<string>, { isolation }: HookManifest): EntryChoice {
  const [handler, ...others] = [...HANDLERS, ...Object.keys(UNSUPPORTED_HANDLERS)].filter((file) => files.has(file));
  if (handler !== undefined && others.length > 0) {
    return { problem: `${folder}: there are several handlers (${[handler, ...others].join(", ")}); keep only one.` };
  }
  const expected = handlersOf(TIERS.filter(({ name }) => isolation === undefined || name === isolation));
  if (handler !== undefined && expected.includes(handler)) return { file: handler };
  const why = UNSUPPORTED_HANDLERS[handler ?? ""] ?? `there is no handler; expected one of ${expected.join(", ")}.`;
  return { problem: `${folder}: ${why}` };
}

function handlersOf(tiers: readonly { readonly handlers: readonly string[] }[]): readonly string[] {
  return [...new Set(tiers.flatMap(({ handlers }) => handlers))];
}

function tiersOf(handler: string) {
  return TIERS.filter(({ handlers }) => (handlers as readonly string[]).includes(handler));
}
