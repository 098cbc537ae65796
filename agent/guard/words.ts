/** Finds the paths that a word of a command may name, and how they relate to the guards. */
import { existsSync, readdirSync } from "node:fs";
import { userInfo } from "node:os";
import { isAbsolute, join, resolve, sep } from "node:path";
import { closer, type GuardSnapshot, realPlace, type Relation, relationOf } from "./paths.ts";
import { BELOW, GAP, hasGap, isUnknown, matchesSegment, UNKNOWN } from "./shell/patterns.ts";

const SEPARATORS = /[\s'"`;|&()<>,=:@[\]{}]+/;
/** Links that lead somewhere else for the process that follows them. */
export const OF_A_PROCESS = /\/proc\/+[^/]+\/+(?:\.\/+)*(?:cwd|root|fd|task|map_files)\b|^\/proc\/.*\.\./;
/** The system cannot open longer paths (PATH_MAX). */
const LONGEST_PATH = 4096;
/** In a word with more `=`, `@` and `:` than this, what follows the earlier ones is only checked piece by piece. */
const MOST_MARKS = 32;
/** Maximum number of entries read when a glob is expanded on the disk. */
const GLOB_ENTRIES = 2000;

/** Checks the words of one command line; caches its look-ups. */
export class WordJudge {
  readonly snapshot: GuardSnapshot;
  readonly #userHome: string;
  readonly #known = new Map<string, Relation>();

  constructor(snapshot: GuardSnapshot, userHome: string) {
    this.snapshot = snapshot;
    this.#userHome = userHome;
  }

  /** The closest relation of all paths that the text may name from any of the folders. */
  relation(text: string, folders: readonly string[]): Relation {
    let best: Relation = "free";
    for (const part of partsOf(text)) {
      for (const path of this.paths(part, folders)) best = closer(best, this.#lookUp(path));
    }
    return best;
  }

  /**
   * Whether a text may name any path at all, the home's included: a gap that can hold slashes, or a relative path
   * from an unknown folder. Addresses (`https://…`) name no path.
   */
  isOpen(text: string, folders: readonly string[]): boolean {
    return partsOf(text).some((part) => {
      if (/^[a-z][a-z+]*:\/\//.test(part)) return false;
      if (OF_A_PROCESS.test(part) || this.#isOtherTilde(part)) return true;
      return isUnknown(part) || (folders.some(isUnknown) && !isAbsolute(part) && !part.startsWith("-"));
    });
  }

  /** The absolute paths (still with wildcards) that a text names from each of the folders. */
  paths(text: string, folders: Iterable<string>): string[] {
    const path = this.#withoutTilde(text);
    if (path === "") return [];
    if (isAbsolute(path)) return [path];
    return [...folders].filter((folder) => isAbsolute(folder)).map((folder) => `${folder}${sep}${path}`);
  }

  /** The existing folders that a text may name: where a `cd` to it may lead. */
  folders(text: string, from: Iterable<string>): string[] {
    return this.paths(text, from).flatMap((path) => (hasGap(path) ? expandOnDisk(path) : [resolve(path)]));
  }

  /** The first guarded path in a text of any language, as spelled there. */
  findMention(text: string, folders: Iterable<string>, relative: boolean): string | undefined {
    const from = [...folders];
    return text.split(SEPARATORS).find((fragment) => {
      if (fragment === "" || fragment.length > LONGEST_PATH || (!relative && !/^[/~$]/.test(fragment))) return false;
      return this.paths(fragment, from).some((path) => this.#lookUp(path) === "inside");
    });
  }

  #lookUp(path: string): Relation {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const relation = hasGap(path) ? this.#wildRelation(path) : relationOf(path, this.snapshot);
    this.#known.set(path, relation);
    return relation;
  }

  #wildRelation(path: string): Relation {
    let best: Relation = "free";
    if (path.includes(BELOW)) return this.#relationBelow(path.slice(0, GAP.exec(path)?.index));
    for (const place of placesOfPattern(path)) best = closer(best, relationOfPattern(place, this.snapshot));
    for (const found of best === "inside" ? [] : expandOnDisk(path)) best = closer(best, this.#lookUp(found));
    return best;
  }

  /** What lies below a folder: the home if that is there, or a part of it. */
  #relationBelow(folder: string): Relation {
    const relation = this.#lookUp(folder.replace(/[^/]*$/, "") || sep);
    return relation === "above" ? "inside" : relation;
  }

  /** `~-`, `~2` and `~name`: an earlier folder, or the home of another user. */
  #isOtherTilde(text: string): boolean {
    return text.startsWith("~") && this.#withoutTilde(text) === text;
  }

  #withoutTilde(text: string): string {
    const [, name, rest = ""] = /^~([^/]*)(.*)$/s.exec(text) ?? [];
    if (name === undefined) return text;
    if (name === "+") return `.${rest}`;
    return name === "" || name === userName() ? this.#userHome + rest : text;
  }
}

/** The parts of a word that may be a path: all of it, what follows `=`, `@` or `:`, and the value of an option. */
function partsOf(text: string): string[] {
  if (text === "") return [];
  const parts = [text, ...(/\s/.test(text) ? text.split(/\s+/) : [])];
  for (const mark of [...text.matchAll(/[=@:]+/g)].slice(-MOST_MARKS))
    parts.push(text.slice(mark.index + mark[0].length));
  parts.push(...text.split(/[=@:,]+/));
  if (/^-[^-]/.test(text)) parts.push(text.slice(2));
  // `$(pwd)/x` and the like: the unknown part may be the folder itself.
  if (text.startsWith(`${UNKNOWN}/`)) parts.push(`.${text.slice(UNKNOWN.length)}`);
  return [...new Set(parts)].filter((part) => part.length <= LONGEST_PATH);
}

/** A pattern as spelled, and with the links of its part before the first wildcard resolved. */
function placesOfPattern(path: string): string[] {
  const normal = resolve(path);
  const parts = normal.split(sep);
  const wild = parts.findIndex((part) => hasGap(part));
  const fixed = parts.slice(0, wild).join(sep) || sep;
  return [...new Set([normal, join(realPlace(fixed), ...parts.slice(wild))])];
}

function relationOfPattern(pattern: string, snapshot: GuardSnapshot): Relation {
  const fold = (text: string) => (snapshot.foldCase ? text.normalize("NFC").toLowerCase() : text);
  const segments = fold(pattern).split(sep);
  let best: Relation = "free";
  for (const guard of snapshot.guards) {
    const guarded = fold(guard.path).split(sep);
    const shared = guarded.slice(0, segments.length);
    if (!shared.every((part, index) => matchesSegment(segments[index] ?? "", part))) continue;
    if (segments.length >= guarded.length) return "inside";
    best = closer(best, guard.ofHome ? "above" : "above_extra");
  }
  return best;
}

/** What a pattern matches on the disk, up to a limit. */
function expandOnDisk(pattern: string): string[] {
  const budget = { left: GLOB_ENTRIES };
  let found: string[] = [sep];
  for (const part of resolve(pattern).split(sep).filter(Boolean)) {
    found = hasGap(part)
      ? found.flatMap((folder) => matchesIn(folder, part, budget))
      : found.map((folder) => join(folder, part)).filter((path) => existsSync(path));
    if (found.length === 0) return [];
  }
  return found;
}

function matchesIn(folder: string, pattern: string, budget: { left: number }): string[] {
  const names = namesIn(folder).filter((name) => matchesSegment(pattern, name));
  const taken = names.slice(0, Math.max(0, budget.left));
  budget.left -= taken.length;
  return taken.map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not a folder or not readable: the shell would not expand anything there either.
    return [];
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // The user has no entry in the system's user database, so no name.
    return undefined;
  }
}
