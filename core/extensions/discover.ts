/** Finds the extensions of a folder: a folder each, with a manifest and a module to run. Nothing of theirs is executed. */
import { readdirSync, realpathSync, statSync, type Dirent } from "node:fs";
import { basename, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { isHermesError, problemOf } from "#core/errors";
import { isForeignFolder, isFresh } from "./fingerprint.ts";
import { readManifest, type ManifestFormat } from "./manifest.ts";

/** What plugins and gateway hooks differ in. */
export interface ExtensionKind<Manifest> extends ManifestFormat<Manifest> {
  /** In plural, for messages. */
  readonly noun: string;
  /** The name of the manifest's file, which ends in `.yaml`. */
  readonly manifestFile: string;
  /** The name of the file to run, of those in the folder; or why there is none, as a sentence. */
  readonly chooseEntry: (folder: string, files: ReadonlySet<string>, manifest: Manifest) => EntryChoice;
}

export type EntryChoice = { readonly file: string } | { readonly problem: string };

/** A folder, by whether it can be used. */
export type FoundExtension<Manifest> = {
  /** Its name under the folder that was searched. */
  readonly directory: string;
  /** As a path that may lead through a symlink. */
  readonly folder: string;
} & (
  | {
      readonly kind: "usable";
      readonly manifest: Manifest;
      /** The file to run. */
      readonly entry: string;
      /** The real paths of folder and entry. */
      readonly real: { readonly folder: string; readonly entry: string };
    }
  | {
      readonly kind: "broken";
      /** Undefined while there is no readable one. */
      readonly manifest: Manifest | undefined;
      /** Why, with file and line where there is one. */
      readonly problem: string;
      /** True when nothing that is meant as an extension lies there any more. */
      readonly gone: boolean;
    }
);

export interface ExtensionDiscovery<Manifest> {
  /** By name of the folder, by code unit, so that the order is the same on every machine. */
  readonly found: readonly FoundExtension<Manifest>[];
  /** What is wrong with the searched folder itself. */
  readonly warnings: readonly string[];
}

/** How long it may look at files before others get their turn. */
const SLICE_MS = 8;

export interface ExtensionSearch<Manifest> {
  /** The folder that holds the extensions' folders. */
  readonly parent: string;
  readonly kind: ExtensionKind<Manifest>;
  /** Manifests of an earlier search: those whose file is as it was are not parsed again. */
  readonly known: ManifestCache<Manifest>;
}

/** Searches a folder; one that is not there holds no extensions. Never throws. */
export async function discoverExtensions<Manifest>(
  search: ExtensionSearch<Manifest>,
): Promise<ExtensionDiscovery<Manifest>> {
  const warnings: string[] = [];
  const found: FoundExtension<Manifest>[] = [];
  await inSlices(list(search.parent, search.kind.noun, warnings), async (directory) => {
    const one = await inspect(directory, search);
    if (one !== undefined) found.push(one);
  });
  return { found, warnings };
}

/** Deals with one item after another; others get their turn when that has taken a while. */
export async function inSlices<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  for (const item of items) {
    await work(item);
    if (performance.now() < sliceEnd) continue;
    await turn();
    sliceEnd = performance.now() + SLICE_MS;
  }
}

function list(parent: string, noun: string, warnings: string[]): readonly string[] {
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter(mayBeExtension)
      .map(({ name }) => name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      warnings.push(`${parent} cannot be read, so there are no ${noun}: ${problemOf(error)}`);
    }
    return [];
  }
}

function mayBeExtension(entry: Dirent): boolean {
  return !isForeignFolder(entry.name) && (entry.isDirectory() || entry.isSymbolicLink());
}

/** Undefined for a link to a plain file. */
async function inspect<Manifest>(
  directory: string,
  { parent, kind, known }: ExtensionSearch<Manifest>,
): Promise<FoundExtension<Manifest> | undefined> {
  const folder = join(parent, directory);
  let manifest: Manifest | undefined;
  const broken = (problem: string, gone = false): FoundExtension<Manifest> => {
    return { kind: "broken", directory, folder, manifest, problem, gone };
  };
  try {
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) return broken(`${folder} is a link that leads nowhere.`, true);
    if (!stats.isDirectory()) return undefined;
    const files = new Set(readdirSync(folder));
    if (!files.has(kind.manifestFile))
      return broken(`${folder} has no ${kind.manifestFile}.${hintAt(files, kind.manifestFile)}`, true);
    manifest = await known.read(join(folder, kind.manifestFile), kind);
    const choice = kind.chooseEntry(folder, files, manifest);
    if ("problem" in choice) return broken(choice.problem);
    const entry = join(folder, choice.file);
    if (!statSync(entry).isFile()) return broken(`${folder}: ${choice.file} is no file.`);
    const real = { folder: realpathSync(folder), entry: realpathSync(entry) };
    return { kind: "usable", directory, folder, manifest, entry, real };
  } catch (error) {
    return broken(isHermesError(error) ? error.message : `${folder} cannot be read: ${problemOf(error)}`);
  }
}

function hintAt(files: ReadonlySet<string>, manifestFile: string): string {
  const stem = basename(manifestFile, ".yaml").toLowerCase();
  const near = [...files].find((file) => [`${stem}.yml`, `${stem}.yaml`].includes(file.toLowerCase()));
  return near === undefined ? "" : ` Rename ${near} to ${manifestFile}.`;
}

interface Namesakes<Found> {
  readonly parent: string;
  readonly manifestFile: string;
  /** Undefined for one that is not in use. */
  readonly nameOf: (found: Found) => string | undefined;
  /** What one is whose name another one has. */
  readonly refuse: (found: Found, name: string, problem: string) => Found;
}

/** Of several extensions in use with one name the first keeps it: a name must mean one in log, settings and listings. */
export function refuseNamesakes<Found extends { readonly directory: string }>(
  found: readonly Found[],
  { parent, manifestFile, nameOf, refuse }: Namesakes<Found>,
): readonly Found[] {
  const holders = new Map<string, string>();
  return found.map((one) => {
    const name = nameOf(one);
    if (name === undefined) return one;
    const holder = holders.get(name);
    if (holder === undefined) {
      holders.set(name, one.directory);
      return one;
    }
    const file = join(parent, one.directory, manifestFile);
    return refuse(one, name, `${file}: the name "${name}" is already that of ${basename(parent)}/${holder}.`);
  });
}

interface KnownManifest<Manifest> {
  readonly stamp: string;
  readonly result: { readonly manifest: Manifest } | { readonly error: unknown };
}

/** What the manifests said when they were last read. */
export class ManifestCache<Manifest> {
  readonly #known = new Map<string, KnownManifest<Manifest>>();

  /** As `readManifest`, without reading a file that is as it was. */
  async read(file: string, format: ManifestFormat<Manifest>): Promise<Manifest> {
    const stamp = stampOf(file);
    const known = this.#known.get(file);
    if (known !== undefined && known.stamp === stamp) return resultOf(known.result);
    const result = await readManifest(file, format).then(
      (manifest) => ({ manifest }),
      (error: unknown) => ({ error }),
    );
    if (stamp === null) this.#known.delete(file);
    else this.#known.set(file, { stamp, result });
    return resultOf(result);
  }
}

function resultOf<Manifest>(result: KnownManifest<Manifest>["result"]): Manifest {
  if ("manifest" in result) return result.manifest;
  throw result.error;
}

/** Inode, size and time; null for a file that was written a moment ago, and for none. */
function stampOf(file: string): string | null {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined || isFresh(stats) ? null : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
