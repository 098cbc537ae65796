/** Saves approvals, each with its script's fingerprint, and in pinned mode with a private copy of the script. */
import { copiesFolderOf } from "./approvals.ts";
import { provideCopy, pruneCopies } from "./copies.ts";
import type { ConsentMode } from "./decide.ts";
import type { ScriptFingerprint } from "./fingerprint.ts";
import type { HookRequest } from "./grant.ts";
import { pinnedRecord } from "./pinned.ts";
import { addApprovals, pairKey, readAllowlist, type Approval, type ApprovedBy } from "./store.ts";
import { termsRecord } from "./terms.ts";
import type { LookupContext } from "./words.ts";

/** An approval by the user, for the bytes that were shown. */
export interface Approved {
  readonly request: HookRequest;
  readonly argv: readonly string[];
  readonly script: ScriptFingerprint;
  readonly by: ApprovedBy;
  /** True to replace an earlier approval; else it is kept, and extended if it lacks the shell or variables. */
  readonly renew: boolean;
}

/** The record of an approval given now. */
export function makeApproval(approved: Approved, mode: ConsentMode, place: LookupContext): Approval {
  const { request, argv, script, by } = approved;
  const { pinIgnore = [] } = request;
  return {
    event: request.event,
    command: request.command,
    approved_at: new Date().toISOString(),
    script_mtime_at_approval: script.mtime,
    approved_by: by,
    script_path: script.path,
    script_sha256: script.sha256,
    ...termsRecord(request),
    ...(script.files.length === 0 ? {} : { files: script.files }),
    ...(pinIgnore.length === 0 ? {} : { pin_ignore: pinIgnore }),
    ...(mode === "pinned" ? { pinned: pinnedRecord(argv, script, place) } : {}),
  };
}

/**
 * Writes the approvals, then the copies that pinned scripts run from. Throws HERMES_ALLOWLIST_*. A copy that cannot
 * be created is a warning in the result: its approval is valid, and each run tries to create the copy again.
 */
export async function recordApprovals(
  file: string,
  approved: readonly Approved[],
  { mode, place }: { readonly mode: ConsentMode; readonly place: LookupContext },
): Promise<readonly string[]> {
  const renew = new Set(approved.filter((each) => each.renew).map(({ request }) => pairKey(request)));
  await addApprovals(
    file,
    approved.map((each) => makeApproval(each, mode, place)),
    renew,
  );
  if (mode !== "pinned") return [];
  const problems: string[] = [];
  for (const { request, script } of approved) {
    const { path, content, sha256 } = script;
    if (path === null || content === null || sha256 === null) continue;
    try {
      provideCopy(copiesFolderOf(file), { path, content, sha256 });
    } catch (error) {
      problems.push(`${request.event}: ${(error as Error).message}`);
    }
  }
  forgetCopies(file);
  return problems;
}

/** Removes the copies of scripts that are no longer approved, whichever mode they were approved in. */
export function forgetCopies(file: string): void {
  const { approvals, unusable } = readAllowlist(file);
  if (unusable !== null) return;
  const hashes = approvals.flatMap(({ script_sha256: hash }) => (typeof hash === "string" ? [hash.toLowerCase()] : []));
  pruneCopies(copiesFolderOf(file), new Set(hashes));
}
