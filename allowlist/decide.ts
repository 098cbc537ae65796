/** The one decision: may this command run at this event? Pure, and the only maker of grants. */
import type { Consent, Grant, HookPair } from "./grant.ts";

/** `hooks_consent`. With `command` an approval of the pair suffices, whatever becomes of the script (CONTRACT §5). */
export type ConsentMode = "command" | "pinned";

/** The pairs that are approved. */
export interface Approvals {
  has(pair: HookPair): boolean;
  /** Why no approval of the file counts, as a clause; null when they do. */
  readonly problem: string | null;
}

export const PINNED_UNSUPPORTED = "hooks_consent: pinned is not supported by this version";

const issued = new WeakSet<object>();

/** Decides on a pair by the approvals there are. */
export function decide(pair: HookPair, approvals: Approvals, mode: ConsentMode): Consent {
  // Whoever asks for the strict mode must not get the lenient one without a word.
  if (mode === "pinned") return { granted: false, reason: PINNED_UNSUPPORTED };
  if (approvals.has(pair)) return { granted: true, grant: issue("approved", pair) };
  const why = approvals.problem === null ? "it is not approved" : `it is not approved, because ${approvals.problem}`;
  return { granted: false, reason: `${why}. Approve it with: ${allowCommand(pair)}` };
}

/** The grant of `hermes hooks test`, for what a person names to be run once. No other caller has a reason to ask. */
export function grantExplicitTest(pair: HookPair): Consent {
  return { granted: true, grant: issue("explicit_test", pair) };
}

/** True for a grant that came from here. */
export function wasIssued(grant: unknown): boolean {
  return typeof grant === "object" && grant !== null && issued.has(grant);
}

/** The command line that approves a pair, quoted for a shell. */
export function allowCommand({ event, command }: HookPair): string {
  return `hermes hooks allow ${event} '${command.replaceAll("'", `'\\''`)}'`;
}

function issue(kind: Grant["kind"], { event, command }: HookPair): Grant {
  const grant = Object.freeze({ kind, event, command }) as Grant;
  issued.add(grant);
  return grant;
}
