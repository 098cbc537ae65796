/** What the allowlist says of the commands that `hermes hooks list` shows. */
import type { OpenApprovals } from "#allowlist/approvals";
import { describeUnpinned } from "#allowlist/files";
import { driftOf, type Drift } from "#allowlist/fingerprint";
import type { HookRequest } from "#allowlist/grant";
import type { PinCheck } from "#allowlist/pinned";
import { readWords } from "#allowlist/words";
import type { ListedHook } from "./listed-hook.ts";

/** Where a command is looked for, and whether its files are pinned. */
export interface ListPlace {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly pinned: boolean;
}

/** What the allowlist says of a command; `argv` is null for one that cannot be read. */
export function consentFor(
  request: HookRequest,
  argv: readonly string[] | null,
  approvals: OpenApprovals,
  place: ListPlace,
): Pick<ListedHook, "allowed" | "approved_at" | "approved_without" | "drift" | "unpinned"> {
  const approval = approvals.find(request);
  const check: PinCheck = argv === null ? { state: "unchanged" } : approvals.examine(request, argv);
  const approvedAt = approval?.approved_at;
  return {
    allowed: approvals.decide(request).granted && holds(check),
    approved_at: typeof approvedAt === "string" ? approvedAt : null,
    approved_without: approvals.lacks(request) ?? [],
    drift: argv === null ? "unknown" : driftIn(check, driftOf(argv, approval, place)),
    unpinned: argv === null || !place.pinned ? null : describeUnpinned(argv, readWords(argv, place), place),
  };
}

/** False for an approved hook whose pinned files have changed. */
function holds({ state }: PinCheck): boolean {
  return state === "unchanged";
}

/** In pinned mode, a change of any file of the command shows; else that of the script. */
function driftIn(check: PinCheck, drift: Drift): Drift {
  if (check.state === "changed") return "modified";
  return check.state === "missing" ? "missing" : drift;
}
