/** The one decision: may this command run at this event? Pure, and the only caller of `issueGrant`. */
import { issueGrant, type Consent, type HookPair, type Pin } from "./grant.ts";

/** `hooks_consent`. With `command`, an approval of the pair suffices, even if the script changes (CONTRACT §5). */
export type ConsentMode = "command" | "pinned";

/** The pairs that are approved. */
export interface Approvals {
  has(pair: HookPair): boolean;
  /** Why no approval in the file is valid, as a clause; null when they are. */
  readonly problem: string | null;
  /** What pins the script of an approved pair. */
  pinOf?(pair: HookPair): Pin;
}

/** Decides on a pair by the existing approvals. In pinned mode the grant is valid only for what its pin returns. */
export function decide(pair: HookPair, approvals: Approvals, mode: ConsentMode): Consent {
  if (approvals.has(pair)) {
    if (mode === "command") return { granted: true, grant: issueGrant("approved", pair, null) };
    const pin = approvals.pinOf?.(pair);
    // Never fall back silently from the strict mode to the lenient one.
    if (pin === undefined) return { granted: false, reason: "its script cannot be pinned here" };
    return { granted: true, grant: issueGrant("approved", pair, pin) };
  }
  const why = approvals.problem === null ? "it is not approved" : `it is not approved because ${approvals.problem}`;
  return { granted: false, reason: `${why}. Approve it with: ${allowCommand(pair)}` };
}

/**
 * The grant of `hermes hooks test`, for a command that the user runs once by name. Nothing else may call it.
 * `script` is its path if scripts are pinned: the script gets the same environment as its copy would.
 */
export function grantExplicitTest(pair: HookPair, script: string | null = null): Consent {
  const pin: Pin | null = script === null ? null : (argv) => ({ argv, argv0: null, script });
  return { granted: true, grant: issueGrant("explicit_test", pair, pin) };
}

/** The command line that approves a pair, quoted for the shell. */
export function allowCommand({ event, command }: HookPair): string {
  return `hermes hooks allow ${event} '${command.replaceAll("'", `'\\''`)}'`;
}
