/** The folders of `hooks/` and their running versions: what is to be said of them. */
import type { VersionState } from "#core/extensions/last-good";
import type { HookBounds } from "#core/ports/guards";
import type { GatewayHook } from "#core/ports/tier";
import type { FoundGatewayHook } from "./discover.ts";
import type { LoadedGatewayHook } from "./loaded-hook.ts";

/** The current state of a folder in `hooks/`. */
export interface GatewayHookListing {
  readonly directory: string;
  readonly name: string;
  /** `kept`: the current version is unusable, so the last valid one keeps running. */
  readonly state: "loaded" | "disabled" | "kept" | "skipped";
  /** The reason why it is kept or skipped, else null. */
  readonly reason: string | null;
  /** The running version; null for a skipped hook. */
  readonly hook: GatewayHook | null;
}

/** The result of a reload. */
export interface GatewayHooksReload {
  /** The changes, one clause each; empty when there are none. */
  readonly changes: readonly string[];
  /** Warnings about the hooks and skipped folders, new or not. */
  readonly warnings: readonly string[];
  /** Warnings about unusable versions, where the earlier one keeps running, new or not. */
  readonly failures: readonly string[];
}

/** A folder and its running version. */
export interface HookState extends VersionState<LoadedGatewayHook> {
  readonly found: FoundGatewayHook;
}

/** The running versions by folder. */
export function loadedOf(slots: ReadonlyMap<string, HookState>): ReadonlyMap<string, LoadedGatewayHook> {
  return new Map(
    [...slots].flatMap(([directory, { running }]) => (running === undefined ? [] : [[directory, running]])),
  );
}

/** The bounds that the running hooks have. */
export function boundsOf(slots: ReadonlyMap<string, HookState>): readonly HookBounds[] {
  return [...loadedOf(slots)].map(([directory, { hook }]) => {
    const { name, isolation, allow } = hook;
    return { directory, name, isolation, allow };
  });
}

/** The folders that have the names of the running hooks. */
export function holdersOf(slots: ReadonlyMap<string, HookState>): ReadonlyMap<string, string> {
  return new Map([...loadedOf(slots)].map(([directory, { hook }]) => [hook.name, directory]));
}

/** The warnings and failures of a reload. */
export function newsOf(
  slots: ReadonlyMap<string, HookState>,
  general: readonly string[],
): Omit<GatewayHooksReload, "changes"> {
  const warnings = [...general];
  const failures: string[] = [];
  /** The folders by the reason: what a whole tier lacks is one warning. */
  const skipped = new Map<string, readonly string[]>();
  for (const { found, problem, running } of slots.values()) {
    if (running !== undefined && problem !== null)
      failures.push(`${problem} The last valid version of the gateway hook "${running.hook.name}" keeps running.`);
    else if (found.kind === "hook") warnings.push(...found.warnings);
    else skipped.set(found.reason, [...(skipped.get(found.reason) ?? []), `hooks/${found.directory}`]);
  }
  for (const [reason, folders] of skipped) {
    const [noun, verb] = folders.length === 1 ? ["hook", "is"] : ["hooks", "are"];
    warnings.push(`The gateway ${noun} ${folders.join(", ")} ${verb} skipped: ${reason}`);
  }
  return { warnings, failures };
}

export function describe({ found, running, problem }: HookState): GatewayHookListing {
  const { directory } = found;
  if (running !== undefined) {
    const state = problem === null ? "loaded" : "kept";
    return { directory, name: running.hook.name, state, reason: problem, hook: running.hook };
  }
  if (found.kind === "hook")
    return { directory, name: found.hook.name, state: "disabled", reason: null, hook: found.hook };
  return { directory, name: found.name, state: "skipped", reason: found.reason, hook: null };
}
