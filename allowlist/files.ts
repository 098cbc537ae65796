/** The files that a command names besides its script: with `hooks_consent: pinned` they must not change (CONTRACT §5). */
import { statSync, type BigIntStats } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isMapping } from "#core/mapping";
import { hashFile } from "./hash.ts";
import { familyOf, launcherOf } from "./interpreters.ts";
import { isFile, isIgnored, isOfPath, locate, type CommandWords, type LookupContext } from "./words.ts";

/** A file that a word names, and its content at approval. */
export interface NamedFile {
  /** The index of the word. */
  readonly word: number;
  readonly path: string;
}

export interface PinnedFile extends NamedFile {
  /** Null for a file that cannot be read; such an approval never holds. */
  readonly sha256: string | null;
}

/** How many characters an option's letters may have before a file's name that follows without a blank (`-vfpath`). */
const MOST_LETTERS = 8;

/**
 * Every file that is a word, or is in a word (`--flag=path`, `-fpath`, `@path`, a list), besides the script. Of the
 * programs that run it, those that hermes knows are left out if they are in a folder of PATH: they are resolved once
 * instead, so that updating the system changes nothing.
 */
export function findFiles(argv: readonly string[], words: CommandWords, place: LookupContext): readonly NamedFile[] {
  const script = typeof words.script === "string" ? null : words.script.index;
  return argv.flatMap((word, index) => {
    if (index === script) return [];
    const program = index === 0 || words.programs.includes(index);
    const paths = program ? programPaths(word, place) : pathsIn(word).map((path) => resolve(place.cwd, path));
    return [...new Set(paths)]
      .filter((path) => isFile(path) && !isIgnored(path, place))
      .map((path) => ({ word: index, path }));
  });
}

function programPaths(word: string, place: LookupContext): readonly string[] {
  const name = basename(word);
  const isKnown = familyOf(name) !== undefined || launcherOf(name) !== undefined;
  if (isKnown && isOfPath(word, place)) return [];
  const path = locate(word, place);
  return path === null ? [] : [path];
}

/** The texts in a word that may be a path: `--flag=path`, `-fpath`, `a,b`, `a:b`, `@path`, a URL. */
function pathsIn(word: string): readonly string[] {
  const rests = [...word.matchAll(/[=,:]/g)].map(({ index }) => word.slice(index + 1));
  const letters = /^-[^-]/.test(word)
    ? Array.from({ length: Math.min(MOST_LETTERS, word.length - 2) }, (_, index) => word.slice(index + 2))
    : [];
  const texts = [word, ...word.split(/[=,:]/), ...rests, ...letters];
  return texts.flatMap((text) => [text, text.replace(/^@/, ""), fromUrl(text)]).filter((text) => text !== "");
}

function fromUrl(text: string): string {
  if (!text.startsWith("file:")) return "";
  try {
    return fileURLToPath(text);
  } catch {
    // Not the URL of a file here: then it names none.
    return "";
  }
}

/**
 * What of a command pinning does not cover, as sentences; null for a script, whose own files are for its author to pin.
 */
export function describeUnpinned(argv: readonly string[], words: CommandWords, place: LookupContext): string | null {
  const { script } = words;
  if (script === "none") return "None of its words is a script, so it can't be pinned and doesn't run.";
  if (script === "inline") {
    return "Its code is pinned as part of the command. Files, modules and programs that this code uses are not pinned.";
  }
  if (!script.executed || !isOfPath(argv[script.index] ?? "", place)) return null;
  return "Only the program itself is pinned. Files that it reads are not.";
}

/** The files with their present content. */
export function hashFiles(files: readonly NamedFile[]): readonly PinnedFile[] {
  return files.map((file) => ({ ...file, sha256: hashNow(file.path) }));
}

/** The files that an approval recorded; null for one that recorded none. */
export function readFiles(value: unknown): readonly PinnedFile[] | null {
  if (!Array.isArray(value)) return null;
  return value.flatMap((file: unknown): PinnedFile[] => {
    if (!isMapping(file)) return [];
    const { word, path, sha256 } = file;
    if (typeof word !== "number" || typeof path !== "string") return [];
    return [{ word, path, sha256: typeof sha256 === "string" ? sha256 : null }];
  });
}

/** Smaller files are read at each run. */
const LEAST_CACHED_BYTES = 1024n * 1024n;
/** A file that was changed this recently may change again without a new time. */
const GRAIN_NS = 100_000_000n;
const known = new Map<string, { readonly stamp: string; readonly sha256: string }>();

/** The hash of a file; that of a large one is kept while its inode, size and times stay the same. */
function hashNow(path: string): string | null {
  const stats = lookAt(path);
  if (stats === undefined || stats.size < LEAST_CACHED_BYTES) return hashFile(path);
  const stamp = `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
  const before = known.get(path);
  if (before?.stamp === stamp) return before.sha256;
  const sha256 = hashFile(path);
  const isFresh = BigInt(Date.now()) * 1_000_000n - stats.ctimeNs < GRAIN_NS;
  if (sha256 !== null && !isFresh) known.set(path, { stamp, sha256 });
  return sha256;
}

function lookAt(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // Not reachable, so it cannot be read either.
    return undefined;
  }
}
