/** Which file a command runs, and whether it is still the one that was approved (CONTRACT §5). */
import { closeSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";
import type { Approval } from "./store.ts";

export interface Fingerprint {
  /** The script's path; null for inline code and commands that are not found in PATH. */
  readonly path: string | null;
  /** ISO-8601; null when there is no such file. */
  readonly mtime: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
}

export type Drift = "none" | "modified" | "missing" | "unknown";

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Larger files are told apart by their time of change alone where many are compared. */
const MOST_HASHED_BYTES = 16 * 1024 * 1024;

const INTERPRETER =
  /^(?:(?:ba|da|z|k|mk|fi|a|c|tc)?sh|busybox|python[\d.]*|pypy[\d.]*|node|deno|bun|ruby|perl|php|lua|tsx)$/;
/** Options after which code stands instead of a file: `-c` of shells and Python, `-e` and its like of the others. */
const INLINE_OF_SHELLS = /^-[a-zA-Z]*c$|^-m$/;
const INLINE_OF_OTHERS = /^-[a-z]*[epr]$|^--(?:eval|print)$/;
const LAUNCHER = /^(?:env|nice|nohup|stdbuf|timeout|exec)$/;

/**
 * The script of a command: its first word (looked up in PATH when it is a bare name), or, behind an interpreter,
 * the first word after the options that is a file. Null for inline code (`-c`), which the command itself pins.
 */
export function scriptOf(argv: readonly string[], place: Place): string | null {
  const [first, ...rest] = argv;
  if (first === undefined) return null;
  const name = basename(first);
  if (LAUNCHER.test(name)) return behindLauncher(first, rest, place);
  if (INTERPRETER.test(name) && rest.length > 0) {
    return behindInterpreter(rest, /sh$|^busybox$|^py/.test(name) ? INLINE_OF_SHELLS : INLINE_OF_OTHERS, place);
  }
  return locate(first, place);
}

/** Path, time, size and hash of a command's script. Never throws: what cannot be read is null. */
export function takeFingerprint(argv: readonly string[], place: Place): Fingerprint {
  const path = scriptOf(argv, place);
  const stats = path === null ? undefined : statOf(path);
  if (path === null || !stats?.isFile()) return { path, mtime: null, bytes: null, sha256: null };
  return { path, mtime: stats.mtime.toISOString(), bytes: stats.size, sha256: hashOf(path) };
}

/** Whether the script of an approved command has changed since; `unknown` for an approval without a fingerprint. */
export function driftOf(argv: readonly string[], approval: Approval | undefined, place: Place): Drift {
  const path = scriptOf(argv, place);
  if (path === null) return inlineDrift(approval);
  const stats = statOf(path);
  if (!stats?.isFile()) return "missing";
  if (approval === undefined) return "unknown";
  const { script_sha256, script_mtime_at_approval } = approval;
  if (typeof script_sha256 === "string" && stats.size <= MOST_HASHED_BYTES) {
    return hashOf(path) === script_sha256.toLowerCase() ? "none" : "modified";
  }
  if (typeof script_mtime_at_approval !== "string") return "unknown";
  return sameTime(script_mtime_at_approval, stats) ? "none" : "modified";
}

/** Inline code is the command; an approval that recorded a script then is for another file than none. */
function inlineDrift(approval: Approval | undefined): Drift {
  if (approval === undefined || !("approved_at" in approval)) return "unknown";
  return typeof approval.script_path === "string" ? "missing" : "none";
}

function behindLauncher(launcher: string, words: readonly string[], place: Place): string | null {
  const start = words.findIndex(
    (word) => !word.startsWith("-") && !/^\w+=/.test(word) && !/^[\d.]+[smhd]?$/.test(word),
  );
  return start === -1 ? locate(launcher, place) : scriptOf(words.slice(start), place);
}

function behindInterpreter(words: readonly string[], inline: RegExp, place: Place): string | null {
  for (const word of words) {
    if (inline.test(word)) return null;
    if (word.startsWith("-")) continue;
    const path = resolve(place.cwd, word);
    if (statOf(path)?.isFile()) return path;
  }
  // None is there (any more): the first word that looks like a path is the one that is missing.
  const missing = words.find((word) => !word.startsWith("-") && /[/.]/.test(word));
  return missing === undefined ? null : resolve(place.cwd, missing);
}

function locate(word: string, { cwd, env }: Place): string | null {
  if (word.includes("/")) return resolve(cwd, word);
  const folders = (env["PATH"] ?? "/usr/bin:/bin").split(delimiter);
  return folders.map((folder) => join(resolve(cwd, folder), word)).find((path) => statOf(path)?.isFile()) ?? null;
}

/** Python writes microseconds and hand-written files whole seconds; the file system gives nanoseconds. */
function sameTime(recorded: string, stats: Stats): boolean {
  const time = Date.parse(recorded);
  const grain = /\.\d/.test(recorded) ? 1 : 999;
  return Math.abs(Math.floor(stats.mtimeMs) - time) <= grain;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Not reachable (no permission, a loop of links, a NUL): for whoever asks it is not there.
    return undefined;
  }
}

function hashOf(path: string): string | null {
  // Loaded where a script is hashed: a listing without approvals starts quicker without it.
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const buffer = Buffer.alloc(64 * 1024);
  try {
    const file = openSync(path, "r");
    try {
      for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
        hash.update(buffer.subarray(0, read));
    } finally {
      closeSync(file);
    }
  } catch {
    // It may be executed but not read, or it vanished: without a hash its drift is judged as changed.
    return null;
  }
  return hash.digest("hex");
}
