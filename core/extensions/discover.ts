/** Finds the extensions in a folder: each is a folder with a manifest and a module. None of their code is executed. */
import { existsSync, readdirSync, realpathSync, statSync, type Dirent } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isHermesError, problemOf } from "#core/errors";
import { findAccessProblem } from "#core/home/access";
import { isForeignFolder, isFresh, isSource } from "./fingerprint.ts";
import { readManifest, type ManifestFormat } from "./manifest.ts";

/** The differences between plugins and gateway hooks. */
export interface ExtensionKind<Manifest> extends ManifestFormat<Manifest> {
  /** Plural name, for messages. */
  readonly noun: string;
  /** The file name of the manifest, which ends in `.yaml`. */
  readonly manifestFile: string;
  /** Chooses the file to run among those in the folder; or says why there is none, as a sentence. */
  readonly chooseEntry: (folder: string, files: ReadonlySet<string>, manifest: Manifest) => EntryChoice;
}

export type EntryChoice = { readonly file: string } | { readonly problem: string };

/** A folder that is usable or not. */
export type FoundExtension<Manifest> = {
  /** Its name in the searched folder. */
  readonly directory: string;
  /** A path that may contain symbolic links. */
  readonly folder: string;
} & (
  | {
      readonly kind: "usable";
      readonly manifest: Manifest;
      /** The file to run. */
      readonly entry: string;
      /** The real paths of the folder and the entry file. */
      readonly real: { readonly folder: string; readonly entry: string };
      /** Why others could change it, as a sentence, else null. */
      readonly exposed: string | null;
    }
  | {
      readonly kind: "broken";
      /** Undefined if there is no readable one. */
      readonly manifest: Manifest | undefined;
      /** The reason, with file and line if known. */
      readonly problem: string;
      /** True when there is no extension any more. */
      readonly gone: boolean;
    }
);

export interface ExtensionDiscovery<Manifest> {
  /** Sorted by folder name in code units, so that the order is the same on every machine. */
  readonly found: readonly FoundExtension<Manifest>[];
  /** What is wrong with the searched folder itself. */
  readonly warnings: readonly string[];
}

/** How long it may read files before it yields. */
const SLICE_MS = 8;

export interface ExtensionSearch<Manifest> {
  /** The folder of the extensions' folders. */
  readonly parent: string;
  readonly kind: ExtensionKind<Manifest>;
  /** Manifests of an earlier search: unchanged ones are not parsed again. */
  readonly known: ManifestCache<Manifest>;
}

/** Searches a folder; a missing one has no extensions. Never throws. */
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

/** Handles the items in order, and yields when that takes a while. (`performance` would load all of node:perf_hooks.) */
export async function inSlices<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  let sliceEnd = process.uptime() * 1000 + SLICE_MS;
  for (const item of items) {
    await work(item);
    if (process.uptime() * 1000 < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceEnd = process.uptime() * 1000 + SLICE_MS;
  }
}

function list(parent: string, noun: string, warnings: string[]): readonly string[] {
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter(mayBeExtension)
      .map(({ name }) => name)
      .toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENOTDIR: the folder is a file, or one above it is, and then it is only missing.
    if (code !== "ENOENT" && (code !== "ENOTDIR" || existsSync(parent))) {
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
    if (stats === undefined) return broken(`${folder} is a broken symbolic link.`, true);
    if (!stats.isDirectory()) return undefined;
    const files = new Set(readdirSync(folder));
    if (!files.has(kind.manifestFile))
      return broken(`${folder} has no ${kind.manifestFile}.${hintAt(files, kind.manifestFile)}`, true);
    manifest = await known.read(join(folder, kind.manifestFile), kind);
    const choice = kind.chooseEntry(folder, files, manifest);
    if ("problem" in choice) return broken(choice.problem);
    const entry = join(folder, choice.file);
    if (!statSync(entry).isFile()) return broken(`${folder}: ${choice.file} is not a file.`);
    const real = { folder: realpathSync(folder), entry: realpathSync(entry) };
    const exposed = exposureOf(folder, files, dirname(parent));
    return { kind: "usable", directory, folder, manifest, entry, real, exposed };
  } catch (error) {
    return broken(isHermesError(error) ? error.message : `${folder} cannot be read: ${problemOf(error)}`);
  }
}

/** Checks the code and manifest directly in the folder, the folder, and those above it up to the home. */
function exposureOf(folder: string, files: ReadonlySet<string>, home: string): string | null {
  for (const file of [...files].filter(isSource)) {
    const problem = findAccessProblem(join(folder, file), { home });
    if (problem !== null) return `${folder} is not safe: ${problem}`;
  }
  return null;
}

function hintAt(files: ReadonlySet<string>, manifestFile: string): string {
  const stem = basename(manifestFile, ".yaml").toLowerCase();
  const near = [...files].find((file) => [`${stem}.yml`, `${stem}.yaml`].includes(file.toLowerCase()));
  return near === undefined ? "" : ` Rename ${near} to ${manifestFile}.`;
}

interface Namesakes<Found> {
  readonly parent: string;
  readonly manifestFile: string;
  /** Undefined for one that is not used. */
  readonly nameOf: (found: Found) => string | undefined;
  /** The folders of running extensions by name. One that is still called so, or that stays as it was, keeps its name. */
  readonly holders?: ReadonlyMap<string, string> | undefined;
  /** True for one that is unusable at the moment, so that its running version stays. */
  readonly stays: (found: Found) => boolean;
  /** What to return for one whose name is taken. */
  readonly refuse: (found: Found, name: string, problem: string) => Found;
}

/** If several extensions in use have the same name, the running one keeps it, else the first, so that names are unique. */
export function refuseNamesakes<Found extends { readonly directory: string }>(
  found: readonly Found[],
  { parent, manifestFile, nameOf, refuse, stays, holders: running = new Map() }: Namesakes<Found>,
): readonly Found[] {
  const folders = new Map(found.map((one) => [one.directory, one]));
  const holders = new Map(
    [...running].filter(([name, directory]) => {
      const holder = folders.get(directory);
      return holder !== undefined && (nameOf(holder) === name || stays(holder));
    }),
  );
  return found.map((one) => {
    const name = nameOf(one);
    if (name === undefined) return one;
    const holder = holders.get(name);
    if (holder === undefined || holder === one.directory) {
      holders.set(name, one.directory);
      return one;
    }
    const file = join(parent, one.directory, manifestFile);
    return refuse(one, name, `${file}: the name "${name}" is already used by ${basename(parent)}/${holder}.`);
  });
}

interface KnownManifest<Manifest> {
  readonly stamp: string;
  readonly result: { readonly manifest: Manifest } | { readonly error: unknown };
}

/** A cache of manifests. */
export class ManifestCache<Manifest> {
  readonly #known = new Map<string, KnownManifest<Manifest>>();

  /** Like `readManifest`, but does not read unchanged files again. */
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

/** Inode, size and time; null for a file that was written a moment ago or is missing. */
function stampOf(file: string): string | null {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined || isFresh(stats) ? null : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
