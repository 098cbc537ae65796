/** Reads single values of an entry leniently: a wrong one gives a warning and the default. */
import { WALL_PROFILES, type CustomProfile, type WallProfile } from "#core/ports/wall";
import { isMapping } from "#core/mapping";
import { truncate } from "#core/truncate";
import { expandHome } from "#core/home/paths";

/** Takes a clause about a key of the entry, or about the whole entry. */
export type Warn = (problem: string, key?: string) => void;

const DEFAULT_TIMEOUT_SECONDS = 60;
const LONGEST_TIMEOUT_SECONDS = 300;

const TRUE_WORDS = new Set(["true", "yes", "on", "1"]);
const FALSE_WORDS = new Set(["false", "no", "off", "0", ""]);

/** A boolean. Words for true and false are accepted, too, with a warning. */
export function readFlag(raw: Record<string, unknown>, key: string, fallback: boolean, warn: Warn): boolean {
  const value = raw[key];
  if (value === undefined || value === null) return fallback;
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" || typeof value === "number" ? String(value).trim().toLowerCase() : undefined;
  if (word !== undefined && TRUE_WORDS.has(word)) {
    warn(`write true instead of ${describeValue(value)}; treated as true`, key);
    return true;
  }
  if (word !== undefined && FALSE_WORDS.has(word)) {
    warn(`write false instead of ${describeValue(value)}; treated as false`, key);
    return false;
  }
  warn(`expected true or false, found ${describeValue(value)}; using ${fallback}`, key);
  return fallback;
}

/** Whole seconds from 1 to 300 (CONTRACT §6): fractions are cut off, more than 300 is 300, invalid values are 60. */
export function readTimeout(value: unknown, warn: Warn): number {
  if (value === undefined || value === null) return DEFAULT_TIMEOUT_SECONDS;
  const seconds = toSeconds(value);
  if (seconds === undefined || seconds < 1) {
    warn(`expected whole seconds from 1 to 300, found ${describeValue(value)}; using 60`, "timeout");
    return DEFAULT_TIMEOUT_SECONDS;
  }
  if (seconds > LONGEST_TIMEOUT_SECONDS) {
    warn(`${describeValue(value)} is more than 300 seconds; using 300`, "timeout");
    return LONGEST_TIMEOUT_SECONDS;
  }
  return seconds;
}

function toSeconds(value: unknown): number | undefined {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string") return /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : undefined;
  return typeof value === "number" && !Number.isNaN(value) ? Math.trunc(value) : undefined;
}

/** The entry's `args`: words that are passed as they are. A wrong value makes the entry broken: it would run otherwise. */
export function readArgs(value: unknown): {
  readonly words: readonly string[] | null;
  readonly problem: string | null;
} {
  if (value === undefined || value === null) return { words: null, problem: null };
  const list = Array.isArray(value) ? value : undefined;
  const words = list?.map((word: unknown) => (typeof word === "number" ? String(word) : word));
  if (words?.every((word): word is string => typeof word === "string" && !word.includes("\0"))) {
    return { words, problem: null };
  }
  return { words: null, problem: `its args must be a list of words, found ${describeValue(value)}` };
}

/** A list of names of environment variables; a single name need not be in a list. */
export function readNames(value: unknown, key: string, warn: Warn): readonly string[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((name): name is string => {
    if (typeof name === "string" && isVariableName(name)) return true;
    warn(`expected names of environment variables, found ${describeValue(name)}; ignored`, key);
    return false;
  });
}

/** A list of paths; a single one need not be in a list. `~` at the start is `home`. */
export function readPaths(value: unknown, key: string, home: string, warn: Warn): readonly string[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((path) => {
    if (typeof path === "string" && path.trim() !== "") return [expandHome(path, home)];
    warn(`expected paths, found ${describeValue(path)}; ignored`, key);
    return [];
  });
}

export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** The entry's own sandbox profile. One that cannot be understood makes the entry broken: it would run unprotected. */
export function readWallProfile(value: unknown): {
  readonly profile: WallProfile | null;
  readonly problem: string | null;
} {
  if (value === undefined || value === null) return { profile: null, problem: null };
  const named = WALL_PROFILES.find((name) => name === value);
  if (named !== undefined) return { profile: named, problem: null };
  const custom = isMapping(value) ? readCustomProfile(value) : undefined;
  if (custom !== undefined) return { profile: custom, problem: null };
  const known = `${WALL_PROFILES.join(", ")}, or a mapping of write, hide and network`;
  return { profile: null, problem: `its sandbox ${describeValue(value)} is not a profile; expected ${known}` };
}

function readCustomProfile(value: Record<string, unknown>): CustomProfile | undefined {
  const { write = [], hide = [], network = "none", ...others } = value;
  if (!isPaths(write) || !isPaths(hide) || (network !== "none" && network !== "full")) return undefined;
  return Object.keys(others).length === 0 ? { write, hide, network } : undefined;
}

function isPaths(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string" && path !== "");
}

/** Formats a value for a warning: short, on one line. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isMapping(value)) return "a mapping";
  if (typeof value === "string") return JSON.stringify(truncate(value, 60));
  return String(value);
}
