/** Finds the file that a command runs, and tells whether it is still the approved one (CONTRACT §5). */
import { statSync, type Stats } from "node:fs";
import { readRegularFile } from "#core/regular-file";
import { findFiles, hashFiles, type PinnedFile } from "./files.ts";
import { hashFile, sha256Of } from "./hash.ts";
import type { Approval } from "./store.ts";
import { readWords, scriptOf, type CommandWords, type LookupContext } from "./words.ts";

export interface ScriptFingerprint {
  readonly words: CommandWords;
  /** The script's path; null for inline code and commands that are not found in PATH. */
  readonly path: string | null;
  /** ISO-8601; null when there is no such file. */
  readonly mtime: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** The bytes that were hashed; null when there are none or more than {@link MOST_PINNED_BYTES}. */
  readonly content: Buffer | null;
  /** The other files that the command names. */
  readonly files: readonly PinnedFile[];
}

export type Drift = "none" | "modified" | "missing" | "unknown";

/** When many files are compared, larger ones are compared by their modification time only. */
const MOST_HASHED_BYTES = 16 * 1024 * 1024;
/** Larger files cannot be pinned, because they would have to be read completely before each run. */
export const MOST_PINNED_BYTES = 64 * 1024 * 1024;

/** Path, time, size, hash and bytes of a command's script, and its other files. Never throws; unreadable parts are null. */
export function takeScriptFingerprint(argv: readonly string[], place: LookupContext): ScriptFingerprint {
  const words = readWords(argv, place);
  const path = typeof words.script === "string" ? null : words.script.path;
  const files = hashFiles(findFiles(argv, words, place));
  const nothing = { words, path, mtime: null, bytes: null, sha256: null, content: null, files };
  const stats = path === null ? undefined : statOf(path);
  if (path === null || !stats?.isFile()) return nothing;
  const { content } = readScript(path);
  const sha256 = content === null ? hashFile(path) : sha256Of(content);
  return { ...nothing, mtime: stats.mtime.toISOString(), bytes: content?.length ?? stats.size, sha256, content };
}

/**
 * Whether the script of an approved command has changed since the approval. `unknown` for an approval without a
 * fingerprint, but `modified` if scripts are pinned.
 */
export function driftOf(
  argv: readonly string[],
  approval: Approval | undefined,
  place: LookupContext & { readonly pinned?: boolean },
): Drift {
  const path = scriptOf(argv, place);
  if (path === null) return inlineDrift(approval);
  const stats = statOf(path);
  if (!stats?.isFile()) return "missing";
  if (approval === undefined) return "unknown";
  const { script_sha256, script_mtime_at_approval } = approval;
  if (typeof script_sha256 === "string" && (place.pinned || stats.size <= MOST_HASHED_BYTES)) {
    return hashFile(path) === script_sha256.toLowerCase() ? "none" : "modified";
  }
  if (place.pinned) return "modified";
  if (typeof script_mtime_at_approval !== "string") return "unknown";
  return sameTime(script_mtime_at_approval, stats) ? "none" : "modified";
}

/** The bytes of a script of at most {@link MOST_PINNED_BYTES}, or the reason why they cannot be read. Never throws. */
export function readScript(path: string): { content: Buffer; problem: null } | { content: null; problem: string } {
  const reading = readRegularFile(path, { mostBytes: MOST_PINNED_BYTES });
  if (reading.kind === "read") return { content: reading.content, problem: null };
  return { content: null, problem: reading.kind === "absent" ? "does not exist" : reading.problem };
}

/**
 * Inline code is part of the command, so it has no script path; an approval that recorded one does not match, unless it
 * was given for the command as words first and for the shell later.
 */
function inlineDrift(approval: Approval | undefined): Drift {
  if (approval === undefined || !("approved_at" in approval)) return "unknown";
  if (approval.shell === true) return "none";
  return typeof approval.script_path === "string" ? "missing" : "none";
}

/** Python writes microseconds, hand-written files have whole seconds, and the file system reports nanoseconds. */
function sameTime(recorded: string, stats: Stats): boolean {
  const time = Date.parse(recorded);
  const grain = /\.\d/.test(recorded) ? 1 : 999;
  return Math.abs(Math.floor(stats.mtimeMs) - time) <= grain;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Not reachable (no permission, a loop of links, a NUL), so the same as missing.
    return undefined;
  }
}
