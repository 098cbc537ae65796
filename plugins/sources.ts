/** Which files make up a plugin, and whether they have changed since they were loaded. */
import { createHash, type Hash } from "node:crypto";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { BigIntStats } from "node:fs";
import type { FoundPlugin } from "./discover.ts";

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

/** Deeper or more than this is no plugin's own code. */
const DEEPEST = 8;
const MOST_FILES = 2000;
/** Larger files are known by their size and time alone. */
const MOST_BYTES = 1024 * 1024;

/** True for a file's name that code and manifests have. What else lies in a folder may be data that the code writes. */
export function isSource(name: string): boolean {
  return CODE.has(extname(name)) && !name.startsWith(".");
}

/** True for a folder's name that holds nothing of the plugin's own: packages, version control, caches. */
export function isForeignFolder(name: string): boolean {
  return name.startsWith(".") || name === "node_modules" || name === "__pycache__";
}

/** Two summaries of the plugins that are wanted: equal ones mean that nothing has changed. */
export interface Fingerprints {
  /** Of the contents of their code and manifests. */
  readonly sources: string;
  /** Of the times and sizes of all their files. */
  readonly files: string;
}

/** Takes the stamps of a discovery. Files that vanish or cannot be read meanwhile count as they are found. */
export async function takeStamps(plugins: readonly FoundPlugin[]): Promise<Fingerprints> {
  const sources = createHash("sha256");
  const files = createHash("sha256");
  const walk: Walk = { sources, files, left: MOST_FILES, seen: new Set() };
  for (const { directory, name, state, error = "", folder, builtin } of plugins.filter(({ wanted }) => wanted)) {
    sources.update(`${JSON.stringify([directory, name, state, error])}\n`);
    if (builtin === undefined) await visit(folder, 0, walk);
  }
  return { sources: sources.digest("hex"), files: files.digest("hex") };
}

interface Walk {
  readonly sources: Hash;
  readonly files: Hash;
  /** How many more files are looked at. */
  left: number;
  /** Real paths of folders, so that a circle of links ends. */
  readonly seen: Set<string>;
}

async function visit(folder: string, depth: number, walk: Walk): Promise<void> {
  const real = await orUndefined(realpath(folder));
  if (real === undefined || walk.seen.has(real)) return;
  walk.seen.add(real);
  const names = (await orUndefined(readdir(folder))) ?? [];
  for (const name of names.toSorted()) {
    if (walk.left-- <= 0) return;
    const path = join(folder, name);
    const stats = await orUndefined(stat(path, { bigint: true }));
    if (stats?.isDirectory()) {
      if (depth < DEEPEST && !isForeignFolder(name)) await visit(path, depth + 1, walk);
    } else if (stats?.isFile()) {
      await note(path, name, stats, walk);
    }
  }
}

async function note(path: string, name: string, stats: BigIntStats, { files, sources }: Walk): Promise<void> {
  const stamp = `${JSON.stringify(path)} ${stats.ino} ${stats.size} ${stats.mtimeNs}\n`;
  files.update(stamp);
  if (!isSource(name)) return;
  const content = stats.size > MOST_BYTES ? undefined : await orUndefined(readFile(path));
  if (content === undefined) sources.update(stamp);
  else sources.update(`${JSON.stringify(path)} ${content.length}\n`).update(content);
}

/** A file may vanish between two looks, or not be readable: then there is nothing to take note of. */
function orUndefined<Value>(look: Promise<Value>): Promise<Value | undefined> {
  return look.catch(() => undefined);
}
