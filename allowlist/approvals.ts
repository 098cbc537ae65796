/** The approvals as a running process sees them: read again whenever the file has changed. */
import { lstatSync } from "node:fs";
import { decide, PINNED_UNSUPPORTED, type Approvals, type ConsentMode } from "./decide.ts";
import type { Consent, HookPair } from "./grant.ts";
import { pairKey, readAllowlist, type AllowlistState, type Approval } from "./store.ts";

export interface OpenApprovals extends Approvals {
  /** Asked at every firing; costs one `lstat` while the file stays as it is. */
  decide(pair: HookPair): Consent;
  /** Why no pair is granted, whatever is approved, as a sentence; null when pairs are. */
  readonly refusal: string | null;
  /** The approval of a pair in the file, if it counts. */
  find(pair: HookPair): Approval | undefined;
  state(): AllowlistState;
  /** Approves pairs until this process ends, for an opt-in that could not be recorded. */
  approveForThisRun(pairs: readonly HookPair[]): void;
}

/** Opens the approvals' file, which may be missing; nothing is created. */
export function openApprovals(file: string, mode: ConsentMode = "command"): OpenApprovals {
  const unrecorded = new Set<string>();
  let stamp: string | undefined;
  let state: AllowlistState;
  let byPair = new Map<string, Approval>();

  /** A change of the file within the clock's grain shows in its inode: every write of ours makes a new one. */
  function refresh(): void {
    const found = stampOf(file);
    if (found === stamp) return;
    state = readAllowlist(file);
    byPair = new Map(state.approvals.map((approval) => [pairKey(approval), approval]));
    stamp = found;
  }

  const approvals: OpenApprovals = {
    has(pair) {
      refresh();
      return byPair.has(pairKey(pair)) || unrecorded.has(pairKey(pair));
    },
    get problem() {
      refresh();
      return state.problem;
    },
    refusal: mode === "pinned" ? `${PINNED_UNSUPPORTED}; no shell hook runs.` : null,
    decide: (pair) => decide(pair, approvals, mode),
    find(pair) {
      refresh();
      return byPair.get(pairKey(pair));
    },
    state() {
      refresh();
      return state;
    },
    approveForThisRun(pairs) {
      for (const pair of pairs) unrecorded.add(pairKey(pair));
    },
  };
  return approvals;
}

function stampOf(file: string): string {
  try {
    const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return "missing";
    return `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.mode}`;
  } catch {
    // A folder above that may not be searched or is no folder: reading the file says what is wrong.
    return "unreachable";
  }
}
