/**
 * Whether a hook's folder has changed since its handler was opened. What counts is code, manifests and the JSON files
 * that code imports: what else lies there may be data that the handler itself writes, and a hook must not be opened
 * anew by its own events.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { isFresh } from "./discover.ts";

export interface FolderStamp {
  /** Of inode, size and time of every file. */
  readonly files: string;
  /** The same of the code, and of the JSON files that may belong to it. */
  readonly sources: string;
  /** True when a source was written a moment ago: its time tells nothing then. */
  readonly fresh: boolean;
  /** A hash of what stands in the code; null where times told enough so far. */
  readonly contents: string | null;
}

const CODE: ReadonlySet<string> = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".wasm", ".yaml", ".yml"]);
/** Deeper or more than this is no handler's own code. */
const DEEPEST = 8;
const MOST_FILES = 2000;
/** Larger files are known by their size and time alone. */
const MOST_BYTES = 1024 * 1024;

/** True for a file that holds code or says what code there is. */
export function isCode(path: string): boolean {
  return CODE.has(extname(path));
}

/** Takes the stamp of a folder as it is now. Files that vanish or cannot be read meanwhile count as they are found. */
export function takeStamp(folder: string): FolderStamp {
  const found = collect(folder);
  const sources = found.filter(({ path }) => isCode(path) || isJson(path));
  const fresh = sources.some((file) => file.fresh);
  // Whether a JSON file belongs to the code can only be read in the code.
  const needed = fresh || sources.some(({ path }) => isJson(path));
  return {
    files: summaryOf(found),
    sources: summaryOf(sources),
    fresh,
    contents: needed ? hashContents(sources) : null,
  };
}

/** The stamp to keep from now on, and whether it says that the folder has changed; with `everyFile` any file of it. */
export function compareStamps(
  folder: string,
  before: FolderStamp,
  { everyFile }: { readonly everyFile: boolean },
): { readonly stamp: FolderStamp; readonly changed: boolean } {
  const now = takeStamp(folder);
  if (everyFile && now.files !== before.files) return { stamp: now, changed: true };
  if (now.sources === before.sources && !before.fresh) {
    return { stamp: { ...before, fresh: now.fresh }, changed: false };
  }
  const contents = now.contents ?? hashContents(collect(folder));
  if (contents !== before.contents) return { stamp: { ...now, contents }, changed: true };
  // Files that do not count now are remembered as they were at first, for who asks for every file later.
  return { stamp: { ...now, files: before.files, contents }, changed: false };
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
  visit(folder, 0, files);
  return files;
}

function visit(folder: string, depth: number, files: FoundFile[]): void {
  const names = orUndefined(() => readdirSync(folder)) ?? [];
  for (const name of names.toSorted()) {
    if (name.startsWith(".") || name === "node_modules" || files.length >= MOST_FILES) continue;
    const path = join(folder, name);
    const stats = orUndefined(() => statSync(path, { bigint: true }));
    if (stats?.isDirectory() && depth < DEEPEST) visit(path, depth + 1, files);
    if (!stats?.isFile()) continue;
    const stamp = `${JSON.stringify(path)} ${stats.ino} ${stats.size} ${stats.mtimeNs}`;
    files.push({ path, stamp, fresh: isFresh(stats), small: stats.size <= MOST_BYTES });
  }
}

function hashContents(files: readonly FoundFile[]): string {
  const hash = createHash("sha256");
  const imported = new Set<string>();
  for (const { path, stamp, small } of files.filter((file) => isCode(file.path))) {
    const text = small ? orUndefined(() => readFileSync(path, "utf8")) : undefined;
    hash.update(text === undefined ? stamp : `${JSON.stringify(path)} ${text.length}\n${text}`);
    for (const json of importedJson(text ?? "")) imported.add(resolve(dirname(path), json));
  }
  for (const { path } of files.filter((file) => imported.has(file.path))) {
    hash.update(`${JSON.stringify(path)}\n${orUndefined(() => readFileSync(path, "utf8"))}`);
  }
  return hash.digest("hex");
}

function isJson(path: string): boolean {
  return extname(path) === ".json";
}

/** The JSON files that code imports, by their relative names. */
function importedJson(code: string): readonly string[] {
  return [...code.matchAll(/\b(?:from|import|require)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+\.json)["']/g)].map(
    ([, name]) => name!,
  );
}

/** A file may vanish between two looks, or not be readable: then there is nothing to take note of. */
function orUndefined<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    // See above.
    return undefined;
  }
}
