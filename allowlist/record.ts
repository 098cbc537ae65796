/** Writes approvals down, each with its script's fingerprint; in pinned mode with a private copy of it. */
import { copiesFolderOf } from "./approvals.ts";
import { provideCopy, pruneCopies } from "./copies.ts";
import type { ConsentMode } from "./decide.ts";
import type { Fingerprint } from "./fingerprint.ts";
import type { HookPair } from "./grant.ts";
import { pinnedRecord } from "./pinned.ts";
import { addApprovals, pairKey, readAllowlist, type Approval, type ApprovedBy } from "./store.ts";
import type { LookupContext } from "./words.ts";

/** An approval that somebody gave, for the bytes that they were shown. */
export interface Approved {
  readonly pair: HookPair;
  readonly argv: readonly string[];
  readonly script: Fingerprint;
  readonly by: ApprovedBy;
  /** True to put it in the place of one that does not hold any more; else the first one stays. */
  readonly renew: boolean;
}

/** The record of an approval made now. */
export function makeApproval({ pair, argv, script, by }: Approved, mode: ConsentMode, place: LookupContext): Approval {
  return {
    event: pair.event,
    command: pair.command,
    approved_at: new Date().toISOString(),
    script_mtime_at_approval: script.mtime,
    approved_by: by,
    script_path: script.path,
    script_sha256: script.sha256,
    ...(mode === "pinned" ? { pinned: pinnedRecord(argv, script, place) } : {}),
  };
}

/**
 * Writes the approvals, and then the copies that pinned scripts run from. Throws HERMES_ALLOWLIST_*; a copy that
 * cannot be made is a sentence of the result, for its approval stands and the copy is tried again at each run.
 */
export async function recordApprovals(
  file: string,
  approved: readonly Approved[],
  { mode, place }: { readonly mode: ConsentMode; readonly place: LookupContext },
): Promise<readonly string[]> {
  const renew = new Set(approved.filter((each) => each.renew).map(({ pair }) => pairKey(pair)));
  await addApprovals(
    file,
    approved.map((each) => makeApproval(each, mode, place)),
    renew,
  );
  if (mode !== "pinned") return [];
  const problems: string[] = [];
  for (const { pair, script } of approved) {
    const { path, content, sha256 } = script;
    if (path === null || content === null || sha256 === null) continue;
    try {
      provideCopy(copiesFolderOf(file), { path, content, sha256 });
    } catch (error) {
      problems.push(`${pair.event}: ${(error as Error).message}`);
    }
  }
  forgetCopies(file);
  return problems;
}

/** Removes the copies of scripts that are not approved any more, in whatever mode they were approved. */
export function forgetCopies(file: string): void {
  const { approvals, unusable } = readAllowlist(file);
  if (unusable !== null) return;
  const hashes = approvals.flatMap(({ script_sha256: hash }) => (typeof hash === "string" ? [hash.toLowerCase()] : []));
  pruneCopies(copiesFolderOf(file), new Set(hashes));
}
