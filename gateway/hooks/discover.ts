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
import type { GatewayHook, TierCheck } from "#core/ports/tier";
import { TIERS, type TierName } from "#core/tiers";
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
      /** The tier that it would run in, if known. */
      readonly isolation?: TierName;
    };

export interface GatewayHookDiscovery {
  /** By folder name. */
  readonly hooks: readonly FoundGatewayHook[];
  /** What is wrong with `hooks/` itself, or with what the configuration says of it. */
  readonly warnings: readonly string[];
}

export interface DiscoverOptions {
  readonly settings: GatewayHookSettings;
  /** Every tier is usable without. */
  readonly findTierProblem?: TierCheck | undefined;
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
  { settings, findTierProblem = async () => null, known = new ManifestCache(), holders }: DiscoverOptions,
): Promise<GatewayHookDiscovery> {
  const { found, warnings } = await discoverExtensions({ parent, kind: KIND, known });
  const described = await Promise.all(found.map((one) => checkTier(describe(one, settings), findTierProblem)));
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
  const { isolation } = held.hook;
  if (!takes(isolation, basename(found.entry))) {
    const reason = `${found.entry}: the configuration names this hook as untrusted, and ${basename(found.entry)} cannot run in an isolate.`;
    return { kind: "skipped", directory, name, reason, gone: true, isolation: wanted.isolation };
  }
  const vain = held.untrusted || vainAllow === null ? [] : [vainAllow];
  const exposed = found.exposed === null ? [] : [found.exposed];
  return { kind: "hook", directory, ...held, warnings: [...warnings, ...vain, ...held.warnings, ...exposed] };
}

/** A hook whose tier needs something that is missing is skipped; its last valid version keeps running. */
async function checkTier(found: FoundGatewayHook, findTierProblem: TierCheck): Promise<FoundGatewayHook> {
  if (found.kind === "skipped" || !found.hook.enabled) return found;
  const { directory, hook } = found;
  const problem = await findTierProblem(hook.isolation);
  if (problem === null) return found;
  return { kind: "skipped", directory, name: hook.name, reason: `${problem}.`, gone: false, isolation: hook.isolation };
}

/**
 * Scripts come first: a hook that was moved from Python to TypeScript may keep its old handler. Two scripts are a
 * mistake.
 */
function chooseEntry(folder: string, files: ReadonlySet<string>, { isolation }: HookManifest): EntryChoice {
  const present = HANDLERS.filter((file) => files.has(file));
  const expected = handlersOf(TIERS.filter(({ name }) => isolation === undefined || name === isolation));
  const tier = TIERS.find(
    ({ name, handlers }) =>
      (isolation ?? name) === name && present.some((file) => (handlers as readonly string[]).includes(file)),
  );
  const [handler, ...others] = present.filter((file) => tier === undefined || takes(tier.name, file));
  if (handler !== undefined && others.length > 0) {
    return { problem: `${folder}: there are several handlers (${[handler, ...others].join(", ")}); keep only one.` };
  }
  if (handler !== undefined && tier !== undefined) return { file: handler };
  if (handler !== undefined) {
    const hint = `Remove isolation, or write it as ${expected[0]}.`;
    return { problem: `${folder}: ${handler} cannot run with isolation: ${isolation}. ${hint}` };
  }
  return { problem: `${folder}: there is no handler; expected one of ${expected.join(", ")}.` };
}

function takes(tier: TierName, handler: string): boolean {
  return TIERS.some(({ name, handlers }) => name === tier && (handlers as readonly string[]).includes(handler));
}

function handlersOf(tiers: readonly { readonly handlers: readonly string[] }[]): readonly string[] {
  return [...new Set(tiers.flatMap(({ handlers }) => handlers))];
}

function tiersOf(handler: string) {
  return TIERS.filter(({ handlers }) => (handlers as readonly string[]).includes(handler));
}
