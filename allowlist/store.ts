/** Reads and writes the approvals' file, `shell-hooks-allowlist.json` (CONTRACT §5). */
import { lstatSync, readFileSync, writeFileSync, type BigIntStats } from "node:fs";
import { dirname } from "node:path";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/paths";
import type { HookPair } from "./grant.ts";
import { withLock } from "./lock.ts";

export type ApprovedBy = "prompt" | "command" | "flag" | "env" | "config";

/** One entry of the file. A hand-written one may lack all but the pair. Keys we do not know are kept. */
export interface Approval extends HookPair {
  readonly approved_at?: unknown;
  readonly approved_by?: unknown;
  readonly script_path?: unknown;
  readonly script_mtime_at_approval?: unknown;
  readonly script_sha256?: unknown;
}

export interface AllowlistState {
  /** The approvals that count: one a pair, the first. */
  readonly approvals: readonly Approval[];
  /** Why the file is never overwritten, as a clause (`is a symbolic link`); null when it may be. */
  readonly unusable: string | null;
  /** Why the approvals in it do not count, as a clause; null when they do. */
  readonly problem: string | null;
  /** Whole sentences, for every command that meets the file. */
  readonly warnings: readonly string[];
  /** The document as it stands, for the next write: all its keys, bad entries included. */
  readonly document: Readonly<Record<string, unknown>>;
}

const EMPTY: AllowlistState = { approvals: [], unusable: null, problem: null, warnings: [], document: {} };

/** Reads the file in whatever state it is. Never throws. */
export function readAllowlist(file: string): AllowlistState {
  try {
    const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return EMPTY;
    const refusal = refusalOf(stats);
    if (refusal !== null) return unusable(file, refusal);
    return parse(file, readFileSync(file, "utf8"), (stats.mode & 0o022n) !== 0n);
  } catch (error) {
    return unusable(file, `cannot be read (${problemOf(error)})`);
  }
}

/** Adds approvals for pairs that have none yet; gives how many were added. Throws HERMES_ALLOWLIST_*. */
export async function addApprovals(file: string, approvals: readonly Approval[]): Promise<number> {
  let added = 0;
  await update(file, (state) => {
    const known = new Set(state.approvals.map(pairKey));
    const fresh = approvals.filter((approval) => !known.has(pairKey(approval)) && known.add(pairKey(approval)));
    added = fresh.length;
    return fresh.length === 0 ? undefined : [...entriesToKeep(state), ...fresh];
  });
  return added;
}

/** Removes every approval of a command, whatever its event; gives how many there were. Throws HERMES_ALLOWLIST_*. */
export async function revokeCommand(file: string, command: string): Promise<number> {
  let removed = 0;
  await update(file, (state) => {
    const kept = entriesOf(state.document).filter((entry) => !isApproval(entry) || entry.command !== command);
    removed = entriesOf(state.document).length - kept.length;
    return removed === 0 ? undefined : state.problem === null ? kept : [];
  });
  return removed;
}

/** The text under which a pair is found; a NUL cannot stand in an event's name. */
export function pairKey({ event, command }: HookPair): string {
  return `${event}\0${command}`;
}

/** Rewrites the list under the file's lock; `change` gives the new entries, or undefined to leave the file alone. */
async function update(file: string, change: (state: AllowlistState) => readonly unknown[] | undefined): Promise<void> {
  try {
    ensureFolder(dirname(file));
    const { default: writeFileAtomic } = await import("write-file-atomic");
    await withLock(file, (isOurs) => {
      const state = readAllowlist(file);
      if (state.unusable !== null) {
        throw new HermesError("HERMES_ALLOWLIST_UNUSABLE", { file, problem: state.unusable });
      }
      const entries = change(state);
      if (entries === undefined) return;
      const text = `${JSON.stringify({ ...state.document, approvals: entries }, null, 2)}\n`;
      isOurs();
      // The package writes once and does not look how much arrived: on a full disk it would put half a list in place.
      // `writeFileSync` writes all of it or throws, and then the old file stays.
      writeFileAtomic.sync(file, "", { mode: 0o600, tmpfileCreated: (temporary) => writeFileSync(temporary, text) });
    });
  } catch (error) {
    if (error instanceof HermesError) throw error;
    throw new HermesError("HERMES_ALLOWLIST_UNWRITABLE", { file, problem: problemOf(error) }, { cause: error });
  }
}

/** What a write keeps. Entries that others could have written are not made to count by a write of ours. */
function entriesToKeep(state: AllowlistState): readonly unknown[] {
  return state.problem === null ? entriesOf(state.document) : [];
}

function refusalOf(stats: BigIntStats): string | null {
  if (stats.isSymbolicLink()) return "is a symbolic link";
  if (stats.isDirectory()) return "is a directory";
  if (!stats.isFile()) return "is no regular file";
  const user = process.geteuid?.();
  return user !== undefined && stats.uid !== BigInt(user) ? "belongs to someone else" : null;
}

function parse(file: string, text: string, open: boolean): AllowlistState {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    return unusable(file, `is not valid JSON (${problemOf(error)})`);
  }
  if (!isObject(document) || !Array.isArray(document["approvals"])) {
    return unusable(file, 'has another shape than {"approvals": […]}');
  }
  const warnings: string[] = [];
  const approvals = new Map<string, Approval>();
  for (const [index, entry] of entriesOf(document).entries()) {
    if (!isApproval(entry)) warnings.push(`${file}: approvals[${index}] has no "event" and "command"; skipped.`);
    else if (!approvals.has(pairKey(entry))) approvals.set(pairKey(entry), entry);
  }
  if (!open) return { approvals: [...approvals.values()], unusable: null, problem: null, warnings, document };
  const problem = `others may write ${file}`;
  warnings.push(`${problem}: its approvals do not count. Look through it, then: chmod 600 ${file}`);
  return { approvals: [], unusable: null, problem, warnings, document };
}

function unusable(file: string, problem: string): AllowlistState {
  const { message } = new HermesError("HERMES_ALLOWLIST_UNUSABLE", { file, problem });
  return { ...EMPTY, unusable: problem, problem: `${file} ${problem}`, warnings: [message] };
}

function entriesOf(document: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Array.isArray(document["approvals"]) ? (document["approvals"] as unknown[]) : [];
}

function isApproval(entry: unknown): entry is Approval {
  return isObject(entry) && typeof entry["event"] === "string" && typeof entry["command"] === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
