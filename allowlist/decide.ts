/** The one decision: may this command run at this event? Pure, and the only caller of `issueGrant`. */
import { issueGrant, type Consent, type ConsentTerms, type HookPair, type HookRequest, type Pin } from "./grant.ts";
import { inQuotes } from "#core/shell-quote";
import { missingTerms } from "./terms.ts";

/** `hooks_consent`. With `command`, an approval of the pair suffices, even if the script changes (CONTRACT §5). */
export type ConsentMode = "command" | "pinned";

/** What is approved. */
export interface Approvals {
  /** The terms of the pair's approval; undefined without one. */
  termsOf(pair: HookPair): ConsentTerms | undefined;
  /** Why no approval in the file is valid, as a clause; null when they are. */
  readonly problem: string | null;
  /** What pins the script of an approved pair. */
  pinOf?(request: HookRequest): Pin;
}

/**
 * Decides on an entry's pair, shell and environment by the existing approvals. In pinned mode the grant is valid only
 * for what its pin returns.
 */
export function decide(request: HookRequest, approvals: Approvals, mode: ConsentMode): Consent {
  const terms = approvals.termsOf(request);
  const missing = terms === undefined ? [] : missingTerms(request, terms);
  if (terms === undefined || missing.length > 0) {
    const why = terms === undefined ? unapproved(approvals) : `it was ${approvedWithout(missing)}`;
    return { granted: false, reason: `${why}. Approve it with: ${allowCommand(request)}` };
  }
  if (mode === "command") return { granted: true, grant: issueGrant("approved", request, null) };
  const pin = approvals.pinOf?.(request);
  // Never fall back silently from the strict mode to the lenient one.
  if (pin === undefined) return { granted: false, reason: "its script cannot be pinned here" };
  return { granted: true, grant: issueGrant("approved", request, pin) };
}

function unapproved({ problem }: Approvals): string {
  return problem === null ? "it is not approved" : `it is not approved because ${problem}`;
}

/** What an approval lacks, in words: `approved without the shell (sh -c) and GITHUB_TOKEN`. */
export function approvedWithout(missing: readonly string[]): string {
  return `approved without ${missing.join(", ").replace(/, (?=[^,]*$)/, " and ")}`;
}

/**
 * The grant of `hermes hooks test`, for a command that the user runs once by name. Nothing else may call it.
 * `script` is its path if scripts are pinned: the script gets the same environment as its copy would.
 */
export function grantExplicitTest(request: HookRequest, script: string | null = null): Consent {
  const pin: Pin | null = script === null ? null : (argv) => ({ argv, argv0: null, script });
  return { granted: true, grant: issueGrant("explicit_test", request, pin) };
}

/** The command line that approves an entry's pair, shell and environment, quoted for the shell. */
export function allowCommand({ event, command, shell, env }: HookRequest): string {
  const options = [...(shell ? ["--shell"] : []), ...[...new Set(env)].map((name) => `--env ${name}`)];
  return [`hermes hooks allow ${event} ${inQuotes(command)}`, ...options].join(" ");
}
