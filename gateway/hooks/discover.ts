/** Finds the gateway hooks of a home. Nothing of theirs is executed. */
import { readdirSync, realpathSync, statSync, type BigIntStats, type Dirent } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { isHermesError, problemOf } from "#core/errors";
import { readHookManifest, type HookManifest } from "./manifest.ts";
import type { GatewayHook } from "#core/ports/tier";

/** A folder of `hooks/`, by whether its hook can be used. */
export type FoundGatewayHook =
  | {
      readonly kind: "hook";
      /** The folder's name under `hooks/`. */
      readonly directory: string;
      readonly hook: GatewayHook;
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: "skipped";
      readonly directory: string;
      /** The manifest's name, as far as there is one, else that of the folder. */
      readonly name: string;
      /** Why, with file and line where there is one. */
      readonly reason: string;
      /** True when there is no hook of its own any more, not even a broken one. */
      readonly gone: boolean;
    };

export interface GatewayHookDiscovery {
  /** By name of the folder. */
  readonly hooks: readonly FoundGatewayHook[];
  /** What is wrong with `hooks/` itself. */
  readonly warnings: readonly string[];
}

export interface DiscoverOptions {
  /** For hooks that name no `timeout_seconds`. */
  readonly timeoutSeconds: number;
  /** Manifests of an earlier discovery: those whose file is as it was are not parsed again. */
  readonly known?: ManifestCache;
}

const MANIFEST = "HOOK.yaml";
const HANDLERS = ["handler.ts", "handler.mts", "handler.js", "handler.mjs"] as const;
const PYTHON_HANDLER = "handler.py";
const PYTHON_SENTENCE = "handler.py: Python handlers are not supported yet; write it as handler.ts or handler.js.";
/** How long it may look at files before others get their turn. */
const SLICE_MS = 8;

/** Reads `folder` (the home's `hooks/`); a missing one holds no hooks. Never throws. */
export async function discoverGatewayHooks(
  folder: string,
  { timeoutSeconds, known = new ManifestCache() }: DiscoverOptions,
): Promise<GatewayHookDiscovery> {
  const warnings: string[] = [];
  const hooks: FoundGatewayHook[] = [];
  let sliceEnd = performance.now() + SLICE_MS;
  for (const directory of list(folder, warnings)) {
    const found = await inspect(join(folder, directory), directory, timeoutSeconds, known);
    if (found !== undefined) hooks.push(found);
    if (performance.now() < sliceEnd) continue;
    await turn();
    sliceEnd = performance.now() + SLICE_MS;
  }
  return { hooks: refuseNamesakes(folder, hooks), warnings };
}

/** The folders in alphabetical order, by code unit, so that it is the same on every machine. */
function list(folder: string, warnings: string[]): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(mayBeFolder)
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      warnings.push(`${folder} cannot be read, so there are no gateway hooks: ${problemOf(error)}`);
    }
    return [];
  }
}

function mayBeFolder(entry: Dirent): boolean {
  const { name } = entry;
  const isForeign = name.startsWith(".") || name === "node_modules" || name === "__pycache__";
  return !isForeign && (entry.isDirectory() || entry.isSymbolicLink());
}

/** Undefined for a link to a plain file. */
async function inspect(
  folder: string,
  directory: string,
  timeoutSeconds: number,
  known: ManifestCache,
): Promise<FoundGatewayHook | undefined> {
  let name = directory;
  const skip = (reason: string, gone = false): FoundGatewayHook => ({ kind: "skipped", directory, name, reason, gone });
  try {
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) return skip(`${folder} is a link that leads nowhere.`, true);
    if (!stats.isDirectory()) return undefined;
    const files = readdirSync(folder);
    if (!files.includes(MANIFEST)) return skip(`${folder} has no ${MANIFEST}.${hintAt(files)}`, true);
    const manifest = await known.read(join(folder, MANIFEST));
    name = manifest.name ?? directory;
    const handler = chooseHandler(files);
    if ("problem" in handler) return skip(`${folder}: ${handler.problem}`);
    if (!statSync(join(folder, handler.file)).isFile()) return skip(`${folder}: ${handler.file} is no file.`);
    const hook = hookOf(manifest, { name, folder, handler: join(folder, handler.file), timeoutSeconds });
    return { kind: "hook", directory, hook, warnings: manifest.warnings };
  } catch (error) {
    return skip(isHermesError(error) ? error.message : `${folder} cannot be read: ${problemOf(error)}`);
  }
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
}

function hookOf(manifest: HookManifest, { name, folder, handler, timeoutSeconds }: Place): GatewayHook {
  const { description, events, enabled, isolation, memoryMb, allow } = manifest;
  return {
    name,
    description,
    events,
    enabled,
    isolation,
    timeoutSeconds: manifest.timeoutSeconds ?? timeoutSeconds,
    memoryMb,
    allow,
    folder: realpathSync(folder),
    handler: realpathSync(handler),
  };
}

function hintAt(files: readonly string[]): string {
  const near = files.find((file) => /^hook\.ya?ml$/i.test(file));
  return near === undefined ? "" : ` Rename ${near} to ${MANIFEST}.`;
}

function chooseHandler(files: readonly string[]): { readonly file: string } | { readonly problem: string } {
  const handlers = HANDLERS.filter((file) => files.includes(file));
  const all = files.includes(PYTHON_HANDLER) ? [...handlers, PYTHON_HANDLER] : handlers;
  if (all.length > 1) return { problem: `there are several handlers (${all.join(", ")}); leave one.` };
  if (handlers[0] !== undefined) return { file: handlers[0] };
  if (all.length > 0) return { problem: PYTHON_SENTENCE };
  return { problem: `there is no handler: expected ${HANDLERS.join(", ")}.` };
}

/** Of several enabled hooks with one name the first keeps it: a name must mean one hook in log and listings. */
function refuseNamesakes(parent: string, hooks: readonly FoundGatewayHook[]): readonly FoundGatewayHook[] {
  const holders = new Map<string, string>();
  return hooks.map((found) => {
    if (found.kind !== "hook" || !found.hook.enabled) return found;
    const { directory } = found;
    const { name } = found.hook;
    const holder = holders.get(name);
    if (holder === undefined) {
      holders.set(name, directory);
      return found;
    }
    const reason = `${join(parent, directory, MANIFEST)}: the name "${name}" is already that of hooks/${holder}.`;
    return { kind: "skipped", directory, name, reason, gone: true };
  });
}

interface KnownManifest {
  readonly stamp: string;
  readonly result: { readonly manifest: HookManifest } | { readonly error: unknown };
}

/** What the manifests said when they were last read. */
export class ManifestCache {
  readonly #known = new Map<string, KnownManifest>();

  /** As `readHookManifest`, without reading a file that is as it was. */
  async read(file: string): Promise<HookManifest> {
    const stamp = stampOf(file);
    const known = this.#known.get(file);
    if (known === undefined || known.stamp !== stamp || stamp === null) {
      const result = await readHookManifest(file).then(
        (manifest) => ({ manifest }),
        (error: unknown) => ({ error }),
      );
      if (stamp === null) this.#known.delete(file);
      else this.#known.set(file, { stamp, result });
      return resultOf(result);
    }
    return resultOf(known.result);
  }
}

function resultOf(result: KnownManifest["result"]): HookManifest {
  if ("manifest" in result) return result.manifest;
  throw result.error;
}

/** The kernel's clock of files ticks this slowly: what was written so lately may be written again in the same tick. */
const GRAIN_NS = 100_000_000n;

/** Inode, size and time; null for a file that was written a moment ago, and for none. */
function stampOf(file: string): string | null {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined || isFresh(stats) ? null : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}

/** True when the file was written so lately that a further write may leave its time as it is. */
export function isFresh({ mtimeNs }: BigIntStats): boolean {
  return BigInt(Date.now()) * 1_000_000n - mtimeNs < GRAIN_NS;
}
