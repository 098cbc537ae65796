/** Walks a folder and searches its files. Runs in its own process, which is killed when it takes too long. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, matchesGlob, relative } from "node:path";
import { type GuardSnapshot, relationOfPlace } from "#agent/guard/paths";

/** What to search; plain data that is sent to the process. */
export interface SearchRequest {
  readonly pattern: string;
  readonly target: "content" | "files";
  /** A file or folder, links resolved. */
  readonly root: string;
  readonly guards: GuardSnapshot;
  readonly mostMatches: number;
}

export interface Match {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** The reports of the process, one JSON line each: matches as they are found, then how the search ended. */
export type SearchReport =
  | { readonly kind: "matches"; readonly matches: readonly Match[] }
  | { readonly kind: "files"; readonly files: readonly string[] }
  | {
      readonly kind: "end";
      readonly reason: "complete" | "matches" | "entries" | "pattern";
      readonly problem?: string;
    };

const SKIPPED_FOLDERS = new Set([".git", "node_modules"]);
const MOST_ENTRIES = 200_000;
const MOST_FILE_BYTES = 5 * 1024 * 1024;
/** Maximum number of characters of a line that are shown. */
const SHOWN_CHARACTERS = 500;

/**
 * Searches and reports. Symbolic links below the root are not followed, so that there are no cycles and nothing
 * outside is found. Guarded, binary and very large files are skipped. Only throws programming errors.
 */
export function search(request: SearchRequest, report: (found: SearchReport) => void): void {
  const matcher = request.target === "content" ? compile(request.pattern) : null;
  if (typeof matcher === "string") return report({ kind: "end", reason: "pattern", problem: matcher });
  const identities = new Set(request.guards.identities);
  let left = request.mostMatches;
  let entries = 0;
  for (const path of walk(request.root, request.guards)) {
    entries += 1;
    if (entries > MOST_ENTRIES) return report({ kind: "end", reason: "entries" });
    if (matcher === null) {
      if (!nameMatches(request, path)) continue;
      if (left <= 0) return report({ kind: "end", reason: "matches" });
      left -= 1;
      report({ kind: "files", files: [path] });
    } else {
      // One more than fits tells a truncated list from one that happens to end here.
      const matches = matchesIn(path, readTextOf(path, identities), matcher, left + 1);
      if (matches.length > 0) report({ kind: "matches", matches: matches.slice(0, left) });
      if (matches.length > left) return report({ kind: "end", reason: "matches" });
      left -= matches.length;
    }
  }
  return report({ kind: "end", reason: "complete" });
}

/** The expression, or what is wrong with it. `(?i)` at its start is supported, as in other tools. */
function compile(pattern: string): RegExp | string {
  const insensitive = pattern.startsWith("(?i)");
  try {
    return new RegExp(insensitive ? pattern.slice(4) : pattern, insensitive ? "i" : "");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The files at and below a place, each folder's in the order of their names. */
function* walk(root: string, guards: GuardSnapshot): Generator<string> {
  if (statSync(root).isFile()) {
    yield root;
    return;
  }
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const below: string[] = [];
    for (const entry of sortedEntries(folder)) {
      const path = join(folder, entry.name);
      if (relationOfPlace(path, guards) === "inside") continue;
      if (entry.isFile()) yield path;
      else if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) below.push(path);
    }
    folders.push(...below.toReversed());
  }

  function sortedEntries(folder: string) {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    } catch {
      // The folder cannot be read or was deleted meanwhile, so there is nothing to find.
      return [];
    }
  }
}

function nameMatches({ pattern, root }: SearchRequest, path: string): boolean {
  const name = basename(path);
  if (!pattern.includes("/")) return matchesGlob(name, pattern);
  return matchesGlob(relative(root, path) || name, pattern);
}

function matchesIn(path: string, text: string | null, matcher: RegExp, most: number): Match[] {
  if (text === null) return [];
  const found: Match[] = [];
  let line = 0;
  for (let start = 0; start < text.length && found.length < most;) {
    const end = text.indexOf("\n", start);
    const stop = end === -1 ? text.length : end;
    const content = text.slice(start, text[stop - 1] === "\r" ? stop - 1 : stop);
    line += 1;
    const match = matcher.exec(content);
    if (match !== null) found.push({ path, line, text: excerpt(content, match.index) });
    start = stop + 1;
  }
  return found;
}

/** A line, or the part of a long line around the match. */
function excerpt(line: string, at: number): string {
  if (line.length <= SHOWN_CHARACTERS) return line;
  const start = Math.max(0, Math.min(at - 100, line.length - SHOWN_CHARACTERS));
  const end = start + SHOWN_CHARACTERS;
  return `${start > 0 ? "…" : ""}${line.slice(start, end)}${end < line.length ? "…" : ""}`;
}

/** A text file's content, or null for one that is binary, too large, or cannot be read. */
function readTextOf(path: string, identities: ReadonlySet<string>): string | null {
  try {
    const handle = openSync(path, "r");
    try {
      const { size, dev, ino } = fstatSync(handle);
      // A hard link of a guarded file has another name, but is the same file.
      if (size > MOST_FILE_BYTES || identities.has(`${dev}:${ino}`)) return null;
      const bytes = readFileSync(handle);
      return bytes.includes(0) ? null : bytes.toString("utf8");
    } finally {
      closeSync(handle);
    }
  } catch {
    // Not readable, or deleted meanwhile, so there is nothing to find.
    return null;
  }
}
