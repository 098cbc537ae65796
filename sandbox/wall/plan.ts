/**
 * Plans what a command in a profile can read and write, as an ordered list of mounts. Makes no system calls;
 * `bubblewrap.ts` converts the list to arguments and `seatbelt.ts` to rules.
 */
import { dirname, sep } from "node:path";
import type { CustomProfile } from "#core/ports/wall";

/** A profile that restricts something: `auto` and `off` are resolved before. */
export type EnclosingProfile = "guard" | "read-only" | "workspace" | CustomProfile;

/** The places of this machine that profiles are about. All paths are absolute and real. */
export interface WallPlaces {
  /** Hermes's home, or null when it does not exist and cannot be created. */
  readonly home: string | null;
  /** Entries of the home that a command may read. Everything else in the home is hidden. */
  readonly readable: readonly string[];
  /** Targets of the home's links, outside the home. */
  readonly linked: readonly string[];
  /** The working directory of hermes: the workspace. */
  readonly workspace: string;
  /** Paths in folders for temporary files that a command needs to read: its script, its folder. */
  readonly needed: readonly string[];
  /** Folders that keep keys, and sockets of services that run commands: hidden from all profiles but `guard`. */
  readonly secrets: readonly Place[];
  /** Folders for temporary files; commands of strict profiles get a private one instead. */
  readonly temporary: readonly string[];
  /** What a custom profile names. */
  readonly write: readonly string[];
  readonly hide: readonly Place[];
  /** True when this user may create, rename and delete in a folder. */
  readonly mayWrite: (folder: string) => boolean;
}

export interface Place {
  readonly path: string;
  readonly folder: boolean;
}

export type Mount =
  | { readonly kind: "writable" | "read-only" | "empty" | "seal"; readonly path: string }
  | { readonly kind: "hidden"; readonly path: string; readonly folder: boolean };

export interface WallPlan {
  /** True when paths without a mount are unrestricted; false when they are read-only. */
  readonly open: boolean;
  readonly network: boolean;
  readonly mounts: readonly Mount[];
}

/** Plans the mounts of a profile. Later mounts cover earlier ones: the home comes last, so that nothing opens it. */
export function planWall(profile: EnclosingProfile, places: WallPlaces): WallPlan {
  const open = profile === "guard";
  const custom = typeof profile === "object" ? profile : undefined;
  const writable = open ? [sep] : profile === "workspace" ? [places.workspace] : places.write;
  const mounts: Mount[] = [];
  if (!open) {
    for (const path of places.temporary) mounts.push({ kind: "empty", path });
    for (const path of places.needed) if (isBelowAny(path, places.temporary)) mounts.push({ kind: "read-only", path });
    for (const path of byDepth(writable)) mounts.push({ kind: "writable", path });
    for (const place of [...places.secrets, ...places.hide]) mounts.push({ kind: "hidden", ...place });
  }
  mounts.push(...guardMounts(places, writable));
  return { open, network: open || custom?.network === "full", mounts };
}

/** Makes the home and the targets of its links read-only or hidden, and impossible to replace. */
function guardMounts({ home, readable, linked, mayWrite }: WallPlaces, writable: readonly string[]): readonly Mount[] {
  const guarded = home === null ? linked : [home, ...linked];
  const pinned = new Set(guarded.flatMap((path) => ancestors(path)).filter((path) => isBelowAny(path, writable)));
  const mounts: Mount[] = [];
  for (const path of byDepth([...pinned])) {
    // A folder that is a mount cannot be renamed, and so not be replaced.
    if (mayWrite(dirname(path)) && !writable.includes(path)) mounts.push({ kind: "writable", path });
  }
  for (const path of byDepth(linked)) mounts.push({ kind: "read-only", path });
  if (home === null) return mounts;
  mounts.push({ kind: "empty", path: home });
  for (const path of readable) mounts.push({ kind: "read-only", path });
  mounts.push({ kind: "seal", path: home });
  return mounts;
}

/** The folders above a path, without the root. */
function ancestors(path: string): readonly string[] {
  const found: string[] = [];
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) found.push(folder);
  return found;
}

function byDepth(paths: readonly string[]): readonly string[] {
  return paths.toSorted((a, b) => a.split(sep).length - b.split(sep).length);
}

/** True for one of the folders, and for what lies below one. */
export function isBelowAny(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const prefix = folder.endsWith(sep) ? folder : folder + sep;
    return path === folder || path.startsWith(prefix);
  });
}
