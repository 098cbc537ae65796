/** The one decision: may this command run at this event? Pure, and the only caller of `issueGrant`. */
import { issueGrant, type Consent, type HookPair, type Pin } from "./grant.ts";

/** `hooks_consent`. With `command` an approval of the pair suffices, whatever becomes of the script (CONTRACT §5). */
export type ConsentMode = "command" | "pinned";

/** The pairs that are approved. */
export interface Approvals {
  has(pair: HookPair): boolean;
  /** Why no approval of the file counts, as a clause; null when they do. */
  readonly problem: string | null;
  /** What pins the script of an approved pair. */
  pinOf?(pair: HookPair): Pin;
}

/** Decides on a pair by the approvals there are. In pinned mode the grant holds only for what its pin gives. */
export function decide(pair: HookPair, approvals: Approvals, mode: ConsentMode): Consent {
  if (approvals.has(pair)) {
    if (mode === "command") return { granted: true, grant: issueGrant("approved", pair, null) };
    const pin = approvals.pinOf?.(pair);
    // Whoever asks for the strict mode must not get the lenient one without a word.
    if (pin === undefined) return { granted: false, reason: "its script cannot be pinned here" };
    return { granted: true, grant: issueGrant("approved", pair, pin) };
  }
  const why = approvals.problem === null ? "it is not approved" : `it is not approved, because ${approvals.problem}`;
  return { granted: false, reason: `${why}. Approve it with: ${allowCommand(pair)}` };
}

/**
 * The grant of `hermes hooks test`, for what a person names to be run once. No other caller has a reason to ask.
 * `script` is its path where scripts are pinned: it gets the same environment as its copy would.
 */
export function grantExplicitTest(pair: HookPair, script: string | null = null): Consent {
  const pin: Pin | null = script === null ? null : (argv) => ({ argv, argv0: null, script });
  return { granted: true, grant: issueGrant("explicit_test", pair, pin) };
}

/** The command line that approves a pair, quoted for a shell. */
export function allowCommand({ event, command }: HookPair): string {
  return `hermes hooks allow ${event} '${command.replaceAll("'", `'\\''`)}'`;
}
