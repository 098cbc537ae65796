/** Reads and writes the approvals file, `shell-hooks-allowlist.json` (CONTRACT §5). */
import { dirname } from "node:path";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { readRegularFile } from "#core/regular-file";
import { isMapping } from "#core/mapping";
import type { HookPair } from "./grant.ts";
import { joinTerms, missingTerms, readTerms, termsRecord } from "./terms.ts";

export type ApprovedBy = "prompt" | "command" | "flag" | "env" | "config";

/** One entry of the file. A hand-written one may have the pair only. Unknown keys are kept. */
export interface Approval extends HookPair {
  readonly approved_at?: unknown;
  readonly approved_by?: unknown;
  readonly script_path?: unknown;
  readonly script_mtime_at_approval?: unknown;
  readonly script_sha256?: unknown;
  /** `true` when it also covers running the command through a shell. */
  readonly shell?: unknown;
  /** Names of variables that it also covers. */
  readonly env?: unknown;
  /** `[{word, path, sha256}]`: the other files that the command names. Absent without any, and in older approvals. */
  readonly files?: unknown;
  /** `pin_ignore` of the entry when it was approved. */
  readonly pin_ignore?: unknown;
  /** In pinned mode: `{script_word, programs}`, how the words of the command were interpreted. */
  readonly pinned?: unknown;
}

export interface AllowlistState {
  /** The valid approvals: the first one for each pair. */
  readonly approvals: readonly Approval[];
  /** Why the file must not be overwritten, as a clause (`is a symbolic link`); null when it may be. */
  readonly unusable: string | null;
  /** Why its approvals are ignored, as a clause; null when they are valid. */
  readonly problem: string | null;
  /** Full sentences, for every command that reads the file. */
  readonly warnings: readonly string[];
  /** The document for the next write: all its keys, including bad entries. */
  readonly document: Readonly<Record<string, unknown>>;
}

const EMPTY: AllowlistState = { approvals: [], unusable: null, problem: null, warnings: [], document: {} };

/** A larger file is not an approvals list, and reading it would slow down every start. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Reads the file, whatever its state. Never throws. */
export function readAllowlist(file: string): AllowlistState {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES, ours: true });
  if (reading.kind === "absent") return EMPTY;
  if (reading.kind === "refused") return unusable(file, reading.problem);
  return parse(file, reading.content.toString("utf8"), (reading.stats.mode & 0o022) !== 0);
}

/**
 * Adds approvals for pairs that have none yet, and replaces those of the pairs in `renew` (their {@link pairKey}s).
 * Other pairs keep their first approval, which is extended if it lacks the shell or variables of the new one. Nothing
 * that was approved is lost. Returns how many were written. Throws HERMES_ALLOWLIST_*.
 */
export async function addApprovals(
  file: string,
  approvals: readonly Approval[],
  renew: ReadonlySet<string> = new Set(),
): Promise<number> {
  let written = 0;
  await update(file, (state) => {
    const old = new Map(state.approvals.map((approval) => [pairKey(approval), approval]));
    const seen = new Set<string>();
    const first = approvals.filter((approval) => !seen.has(pairKey(approval)) && seen.add(pairKey(approval)));
    const fresh = first.filter((approval) => !old.has(pairKey(approval)));
    const updated = new Map<string, Approval>();
    for (const approval of first) {
      const key = pairKey(approval);
      const known = old.get(key);
      if (known === undefined) continue;
      if (renew.has(key)) updated.set(key, { ...approval, ...joinedTerms(known, approval) });
      else if (missingTerms(readTerms(approval), readTerms(known)).length > 0)
        updated.set(key, extend(known, approval));
    }
    written = fresh.length + updated.size;
    if (written === 0) return undefined;
    const kept = entriesToKeep(state).map((entry) => (isApproval(entry) && updated.get(pairKey(entry))) || entry);
    return [...kept, ...fresh];
  });
  return written;
}

/** An approval with the shell and variables of a later one; it stays an approval of the first one's script. */
function extend(known: Approval, { approved_at, approved_by, ...later }: Approval): Approval {
  return { ...known, approved_at, approved_by, ...joinedTerms(known, later) };
}

function joinedTerms(one: Approval, other: Approval): object {
  return termsRecord(joinTerms(readTerms(one), readTerms(other)));
}

/** Removes every approval of a command at any event; returns how many there were. Throws HERMES_ALLOWLIST_*. */
export async function revokeCommand(file: string, command: string): Promise<number> {
  let removed = 0;
  await update(file, (state) => {
    const kept = entriesOf(state.document).filter((entry) => !isApproval(entry) || entry.command !== command);
    removed = entriesOf(state.document).length - kept.length;
    return removed === 0 ? undefined : state.problem === null ? kept : [];
  });
  return removed;
}

/** A unique key for each pair, whatever its strings contain. */
export function pairKey({ event, command }: HookPair): string {
  return `${event.length}:${event}${command}`;
}

/** Rewrites the list while holding the file's lock; `change` returns the new entries, or undefined for no change. */
async function update(file: string, change: (state: AllowlistState) => readonly unknown[] | undefined): Promise<void> {
  try {
    ensureFolder(dirname(file));
    // Loaded only for writing, so that readers start without it.
    const { withLock } = await import("./lock.ts");
    await withLock(file, (isOurs) => {
      const state = readAllowlist(file);
      if (state.unusable !== null) {
        throw new HermesError("HERMES_ALLOWLIST_UNUSABLE", { file, problem: state.unusable });
      }
      const entries = change(state);
      if (entries === undefined) return;
      const text = `${JSON.stringify({ ...state.document, approvals: entries }, null, 2)}\n`;
      writePrivateFile(file, text, { durable: true, beforeReplacing: isOurs });
    });
  } catch (error) {
    if (error instanceof HermesError) throw error;
    throw new HermesError("HERMES_ALLOWLIST_UNWRITABLE", { file, problem: problemOf(error) }, { cause: error });
  }
}

/** What a write keeps. Entries that other users could have written must not become valid by our write. */
function entriesToKeep(state: AllowlistState): readonly unknown[] {
  return state.problem === null ? entriesOf(state.document) : [];
}

function parse(file: string, text: string, open: boolean): AllowlistState {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    return unusable(file, `is not valid JSON (${problemOf(error)})`);
  }
  if (!isMapping(document) || !Array.isArray(document["approvals"])) {
    return unusable(file, 'does not have the form {"approvals": […]}');
  }
  const warnings: string[] = [];
  const approvals = new Map<string, Approval>();
  for (const [index, entry] of entriesOf(document).entries()) {
    if (!isApproval(entry)) warnings.push(`${file}: approvals[${index}] has no "event" and "command"; skipped.`);
    else if (!approvals.has(pairKey(entry))) approvals.set(pairKey(entry), entry);
  }
  if (!open) return { approvals: [...approvals.values()], unusable: null, problem: null, warnings, document };
  const problem = `${file} is writable by other users`;
  warnings.push(`${problem}, so its approvals are ignored. Review it, then run: chmod 600 ${file}`);
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
  return isMapping(entry) && typeof entry["event"] === "string" && typeof entry["command"] === "string";
}
