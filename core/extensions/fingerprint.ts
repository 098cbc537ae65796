/**
 * Detects whether an extension's folder has changed since its code was loaded. Only code, manifests and imported JSON
 * files matter: other files may be data that the code itself writes, and must not cause a reload.
 */
import { readdirSync, readFileSync, realpathSync, statSync, type BigIntStats } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { SourceKeeper, type KeptSources } from "./sources.ts";

export interface Fingerprint {
  /** A hash of inode, size and time of every file. */
  readonly files: string;
  /** The same for the code and its JSON files only. */
  readonly sources: string;
  /** True when a source was written a moment ago, so that its time is not reliable. */
  readonly fresh: boolean;
  /** A hash of the content of the code and its imported JSON files. */
  readonly contents: string;
}

const CODE: ReadonlySet<string> = new Set([
  ".ts",
  ".mts",
  ".cts",
  ".js",
  ".mjs",
  ".cjs",
  ".py",
  ".wasm",
  ".yaml",
  ".yml",
]);
/** Limits for depth and number of files; an extension's own code is smaller. */
const DEEPEST = 8;
const MOST_FILES = 2000;
/** Larger files are only compared by size and time. */
const MOST_BYTES = 1024 * 1024;
/** The resolution of file times: a file written this recently may be written again within the same tick. */
const GRAIN_NS = 100_000_000n;

/** True for the name or path of a code file or manifest. */
export function isSource(path: string): boolean {
  return CODE.has(extname(path)) && !basename(path).startsWith(".");
}

/** True for folders without the extension's own files: packages, version control, caches. */
export function isForeignFolder(name: string): boolean {
  return name.startsWith(".") || name === "node_modules" || name === "__pycache__";
}

/** True when the file was written so recently that another write may not change its time. */
export function isFresh({ mtimeNs }: BigIntStats): boolean {
  return BigInt(Date.now()) * 1_000_000n - mtimeNs < GRAIN_NS;
}

/** Takes the current fingerprint of a folder. Files that are deleted or unreadable meanwhile are included as found. */
export function takeFingerprint(folder: string): Fingerprint {
  return takeVersion(folder).fingerprint;
}

/** The code of a folder as it is now. */
export function takeSources(folder: string): KeptSources {
  return readSources(collect(folder)).sources;
}

export interface FingerprintComparison {
  /** The new one to keep. */
  readonly fingerprint: Fingerprint;
  /** Whether the folder has changed; with `everyFile`, any of its files. */
  readonly changed: boolean;
  /** The sources that the fingerprint belongs to; undefined when they were not read, because they are the earlier ones. */
  readonly sources: KeptSources | undefined;
}

/** Compares a folder with an earlier fingerprint. A folder without one has changed. */
export function compareFingerprints(
  folder: string,
  before: Fingerprint | undefined,
  { everyFile }: { readonly everyFile: boolean },
): FingerprintComparison {
  if (before === undefined) return { ...takeVersion(folder), changed: true };
  const found = collect(folder);
  const now = stampsOf(found);
  const isSame = now.sources === before.sources && !before.fresh;
  const { contents, sources } = isSame ? { contents: before.contents, sources: undefined } : readSources(found);
  if (contents !== before.contents || (everyFile && now.files !== before.files)) {
    return { fingerprint: { ...now, contents }, changed: true, sources };
  }
  // Keep the first state of ignored files, for a later check of every file.
  return { fingerprint: { ...now, files: before.files, contents }, changed: false, sources };
}

function takeVersion(folder: string): Pick<FingerprintComparison, "fingerprint"> & { readonly sources: KeptSources } {
  const found = collect(folder);
  const { contents, sources } = readSources(found);
  return { fingerprint: { ...stampsOf(found), contents }, sources };
}

function stampsOf(found: readonly FoundFile[]): Omit<Fingerprint, "contents"> {
  const sources = found.filter(({ path }) => isSource(path) || isJson(path));
  return { files: summaryOf(found), sources: summaryOf(sources), fresh: sources.some((file) => file.fresh) };
}

/** The paths of the JSON files that a folder's code imports, existing or not. */
export function findImportedJson(folder: string): ReadonlySet<string> {
  const code = collect(folder).filter(({ path, small }) => small && isSource(path));
  return new Set(code.flatMap(({ path }) => importedJson(path, orUndefined(() => readFileSync(path, "utf8")) ?? "")));
}

function summaryOf(files: readonly FoundFile[]): string {
  return files.map(({ stamp }) => stamp).join("\n");
}

interface FoundFile {
  readonly path: string;
  readonly stamp: string;
  readonly fresh: boolean;
  readonly small: boolean;
}

function collect(folder: string): readonly FoundFile[] {
  const files: FoundFile[] = [];
  const seen = new Set<string>();

  function visit(here: string, depth: number): void {
    const real = orUndefined(() => realpathSync(here));
    // Ends cycles of links.
    if (real === undefined || seen.has(real)) return;
    seen.add(real);
    const names = orUndefined(() => readdirSync(here)) ?? [];
    for (const name of names.toSorted()) {
      if (isForeignFolder(name) || files.length >= MOST_FILES) continue;
      const path = join(here, name);
      const stats = orUndefined(() => statSync(path, { bigint: true }));
      if (stats?.isDirectory() && depth < DEEPEST) visit(path, depth + 1);
      if (!stats?.isFile()) continue;
      const stamp = `${JSON.stringify(path)} ${stats.ino} ${stats.size} ${stats.mtimeNs}`;
      files.push({ path, stamp, fresh: isFresh(stats), small: stats.size <= MOST_BYTES });
    }
  }

  visit(folder, 0);
  return files;
}

/** Reads the code and the JSON that it imports, once: what is kept is what was hashed. */
function readSources(files: readonly FoundFile[]): { readonly contents: string; readonly sources: KeptSources } {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const keeper = new SourceKeeper();
  const imported = new Set<string>();
  for (const file of files.filter(({ path }) => isSource(path))) {
    const content = add(file);
    for (const json of importedJson(file.path, content?.toString("utf8") ?? "")) imported.add(json);
  }
  for (const file of files.filter(({ path }) => imported.has(path))) add(file);
  return { contents: hash.digest("hex"), sources: keeper.sources };

  function add({ path, stamp, small }: FoundFile): Buffer | undefined {
    const content = small ? orUndefined(() => readFileSync(path)) : undefined;
    const hashed = content ?? stamp;
    hash.update(`${JSON.stringify(path)} ${hashed.length}\n`).update(hashed);
    const real = orUndefined(() => realpathSync(path));
    if (content !== undefined && real !== undefined) keeper.keep(path, real, content);
    return content;
  }
}

function isJson(path: string): boolean {
  return extname(path) === ".json";
}

/** The paths of the JSON files that a file's code imports. */
function importedJson(file: string, code: string): readonly string[] {
  return [...code.matchAll(/\b(?:from|import|require)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+\.json)["']/g)].map(([, name]) =>
    resolve(dirname(file), name!),
  );
}

/** A file may have been deleted meanwhile, or may not be readable; then it is ignored. */
function orUndefined<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    // See above.
    return undefined;
  }
}
