/** The approvals as a running process sees them: read again whenever the file has changed. */
import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { homePaths } from "#core/home/paths";
import { allowCommand, decide, type Approvals, type ConsentMode } from "./decide.ts";
import type { Consent, HookPair, HookRequest } from "./grant.ts";
import { createPins, type PinCheck } from "./pinned.ts";
import { pairKey, readAllowlist, type AllowlistState, type Approval } from "./store.ts";
import { joinTerms, missingTerms, readTerms, termsRecord } from "./terms.ts";
import type { LookupContext } from "./words.ts";

export interface OpenApprovals extends Approvals {
  readonly mode: ConsentMode;
  /** Called at every firing; costs one `lstat` while the file is unchanged. */
  decide(request: HookRequest): Consent;
  /** What the approval of a pair does not cover, in words; null without an approval, empty when it covers all. */
  lacks(request: HookRequest): readonly string[] | null;
  /** Whether the approval of a pair is valid for the current files; always true unless scripts are pinned. */
  examine(request: HookRequest, argv: readonly string[]): PinCheck;
  /** The approval of a pair in the file, if it is valid. */
  find(pair: HookPair): Approval | undefined;
  state(): AllowlistState;
  /** Approves pairs until this process exits, for an opt-in that could not be recorded. */
  approveForThisRun(approvals: readonly Approval[]): void;
}

/**
 * Opens the approvals file, which may be missing; nothing is created. With `pinned`, private copies of scripts are
 * in a folder next to it, and an approval's programs are looked up in PATH once, when the approval is first used.
 */
export function openApprovals(
  file: string,
  mode: ConsentMode = "command",
  place: LookupContext = { cwd: process.cwd(), env: process.env },
): OpenApprovals {
  const unrecorded = new Map<string, Approval>();
  const pins = createPins(copiesFolderOf(file), place);
  let stamp: string | undefined;
  let state: AllowlistState;
  let byPair = new Map<string, Approval>();

  /** A change within the clock's resolution shows in the inode: each of our writes creates a new file. */
  function refresh(): void {
    const found = stampOf(file);
    if (found === stamp) return;
    state = readAllowlist(file);
    byPair = new Map(state.approvals.map((approval) => [pairKey(approval), approval]));
    stamp = found;
  }

  function approvalOf(pair: HookPair): Approval | undefined {
    refresh();
    const key = pairKey(pair);
    const [recorded, other] = [byPair.get(key), unrecorded.get(key)];
    if (recorded === undefined || other === undefined) return recorded ?? other;
    // The one for this run was given when the recorded one did not suffice.
    return { ...recorded, ...termsRecord(joinTerms(readTerms(recorded), readTerms(other))) };
  }

  const approvals: OpenApprovals = {
    mode,
    termsOf(pair) {
      const approval = approvalOf(pair);
      return approval === undefined ? undefined : readTerms(approval);
    },
    get problem() {
      refresh();
      return state.problem;
    },
    decide: (request) => decide(request, approvals, mode),
    lacks(request) {
      const terms = approvals.termsOf(request);
      return terms === undefined ? null : missingTerms(request, terms);
    },
    pinOf: (request) => (argv) => {
      const approval = approvalOf(request);
      if (approval === undefined) return { problem: "its approval was revoked" };
      const prepared = pins.prepare({ approval, argv, ignored: request.pinIgnore ?? [] });
      return "argv" in prepared ? prepared : { problem: `${prepared.problem}. ${cureOf(prepared, request)}` };
    },
    examine(request, argv) {
      const approval = mode === "pinned" ? approvalOf(request) : undefined;
      if (approval === undefined) return { state: "unchanged" };
      return pins.examine({ approval, argv, ignored: request.pinIgnore ?? [] });
    },
    find(pair) {
      refresh();
      return byPair.get(pairKey(pair));
    },
    state() {
      refresh();
      return state;
    },
    approveForThisRun(some) {
      for (const approval of some) unrecorded.set(pairKey(approval), approval);
    },
  };
  return approvals;
}

/** The folder of the private copies of approved scripts, next to the approvals. */
export function copiesFolderOf(file: string): string {
  return homePaths(dirname(file)).approvedHooks;
}

function cureOf({ state }: PinCheck, request: HookRequest): string {
  return state === "changed" ? `Review it, then approve it again with: ${allowCommand(request)}` : "It did not run.";
}

function stampOf(file: string): string {
  try {
    const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return "missing";
    return `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.mode}`;
  } catch {
    // A parent folder is not searchable or not a folder: reading the file reports what is wrong.
    return "unreachable";
  }
}
