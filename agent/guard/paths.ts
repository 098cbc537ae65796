/**
 * Resolves where a path really leads, and whether that is guarded. The policy for commands is in commands.ts.
 */
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, parse, resolve, sep } from "node:path";

/** A guarded path; every spelling that leads to it is a separate entry. */
interface Guard {
  readonly path: string;
  /** True for the home, false for what is guarded outside it (scripts of hooks, targets of links). */
  readonly ofHome: boolean;
}

/** A snapshot of the guards on disk; plain data, so that it can be sent to another process. */
export interface GuardSnapshot {
  readonly guards: readonly Guard[];
  /** `device:inode` of the existing guards: finds them under hard links and other spellings. */
  readonly identities: readonly string[];
  /** True where file names that only differ in case are the same file. */
  readonly foldCase: boolean;
}

/**
 * How a path relates to the guarded paths: `inside` (it is one, or is below one), `above` (a folder that contains the
 * home), `above_extra` (a folder that only contains other guarded files), `free`.
 */
export type Relation = "inside" | "above" | "above_extra" | "free";

/** From the farthest to the closest. */
const RANK: Readonly<Record<Relation, number>> = { free: 0, above_extra: 1, above: 2, inside: 3 };

/** The closer of two relations to the guards. */
export function closer(one: Relation, other: Relation): Relation {
  return RANK[other] > RANK[one] ? other : one;
}

const MAX_LINKS = 40;
/** How deep below a guarded folder to look for links and files, and how many entries at most. */
const LINK_DEPTH = 3;
const LINK_ENTRIES = 1000;

/**
 * Resolves an absolute path like the kernel: follows symbolic links in every part that exists (also dangling ones),
 * applies `..` after the link before it, and leaves the rest as spelled.
 */
export function realPlace(path: string): string {
  const { root } = parse(path);
  const rest = path.slice(root.length).split(sep);
  let place = root;
  let links = 0;
  while (rest.length > 0) {
    const part = rest.shift() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      place = dirname(place);
      continue;
    }
    const next = join(place, part);
    const target = links < MAX_LINKS ? linkTarget(next) : null;
    if (target === null) {
      place = next;
      continue;
    }
    links += 1;
    rest.unshift(...target.split(sep));
    if (isAbsolute(target)) place = parse(target).root;
  }
  return place;
}

/**
 * Reads the current guards: as spelled, with links resolved, the targets of links in guarded folders, and the
 * identities of the files in them, which hard links share.
 */
export function snapshotGuards(own: readonly string[], extra: readonly string[], userHome: string): GuardSnapshot {
  const guards = new Map<string, boolean>();
  const identities = new Set<string>();
  const add = (path: string, ofHome: boolean): void => {
    const spelled = resolve(path);
    for (const place of [spelled, join(realPlace(dirname(spelled)), basename(spelled)), realPlace(spelled)]) {
      guards.set(place, guards.get(place) === true || ofHome);
    }
    const identity = identityOf(spelled);
    if (identity !== null) identities.add(identity);
  };
  for (const path of own) {
    add(path, true);
    const { links, files } = contentOf(path, LINK_DEPTH, { left: LINK_ENTRIES });
    for (const target of links) {
      // A link to the whole user's home or above would put everything off limits.
      if (!isBelow(realPlace(userHome), target)) add(target, false);
    }
    for (const file of files) {
      const identity = identityOf(file);
      if (identity !== null) identities.add(identity);
    }
  }
  for (const path of extra) add(path, false);
  return {
    guards: [...guards].map(([path, ofHome]) => ({ path, ofHome })),
    identities: [...identities],
    foldCase: process.platform === "darwin" || process.platform === "win32",
  };
}

/** How an absolute path (possibly with `..` and links in it) relates to the guards. */
export function relationOf(path: string, snapshot: GuardSnapshot): Relation {
  const spelled = resolve(path);
  // `link/..` is the link's own folder to a program that normalises, but the target's parent to the kernel: check both.
  const places = [...new Set([spelled, join(realPlace(dirname(spelled)), basename(spelled)), realPlace(path)])];
  let best: Relation = "free";
  for (const place of places) {
    best = closer(best, relationOfPlace(place, snapshot));
  }
  return best === "inside" || !hasGuardedIdentity(realPlace(path), snapshot) ? best : "inside";
}

/** The same for a path whose links are already resolved; does not access the disk. */
export function relationOfPlace(place: string, snapshot: GuardSnapshot): Relation {
  const folded = fold(place, snapshot.foldCase);
  let best: Relation = "free";
  for (const guard of snapshot.guards) {
    const guarded = fold(guard.path, snapshot.foldCase);
    if (isBelow(folded, guarded)) return "inside";
    if (!isBelow(guarded, folded)) continue;
    best = closer(best, guard.ofHome ? "above" : "above_extra");
  }
  return best;
}

/** The top folder of the git repository that a folder is in; the folder itself outside of one. */
export function repositoryOf(folder: string): string {
  for (let at = folder; at !== dirname(at); at = dirname(at)) if (existsSync(join(at, ".git"))) return at;
  return folder;
}

/** `device:inode` of a path's target, or null when it does not exist or cannot be accessed. */
function identityOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    // It does not exist or is not visible to this user, so there is no identity to compare.
    return null;
  }
}

/** True when the path itself or a folder above it is a guard under another name (hard link, mount, case). */
function hasGuardedIdentity(place: string, snapshot: GuardSnapshot): boolean {
  for (let at = place; ; at = dirname(at)) {
    const identity = identityOf(at);
    if (identity !== null && snapshot.identities.includes(identity)) return true;
    if (at === dirname(at)) return false;
  }
}

function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    // It does not exist or is not accessible, so there is no link to follow.
    return null;
  }
}

/** The targets of links in a folder, and its files. */
function contentOf(folder: string, depth: number, budget: { left: number }): { links: string[]; files: string[] } {
  const found = { links: [] as string[], files: [] as string[] };
  for (const entry of entriesOf(folder)) {
    if (budget.left-- <= 0) break;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) found.links.push(realPlace(path));
    else if (entry.isFile()) found.files.push(path);
    else if (entry.isDirectory() && depth > 1 && entry.name !== "node_modules") {
      const below = contentOf(path, depth - 1, budget);
      found.links.push(...below.links);
      found.files.push(...below.files);
    }
  }
  return found;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Not a folder, missing or not readable: it contains no links that matter.
    return [];
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function fold(path: string, foldCase: boolean): string {
  return foldCase ? path.normalize("NFC").toLowerCase() : path;
}
