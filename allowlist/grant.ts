/**
 * The right to run one command at one event. Code that spawns a script requires a grant. Only `decide.ts` issues them;
 * a test keeps {@link issueGrant} out of every other file.
 * The brand prevents forging one in TypeScript, and the register of issued grants prevents it at run time.
 */

/** An `(event, command)` pair, the exact strings (CONTRACT §5). */
export interface HookPair {
  readonly event: string;
  readonly command: string;
}

declare const brand: unique symbol;

/** What runs instead of the command's own words if scripts are pinned. */
export interface ResolvedCommand {
  readonly argv: readonly [string, ...string[]];
  /** The program's `argv[0]`; null for the first of `argv`. */
  readonly argv0: string | null;
  /** The script's own path, for `HERMES_HOOK_SCRIPT`; null for inline code. */
  readonly script: string | null;
}

/** Checks the current script: gives what to run for these words, or a clause that says why nothing can run. */
export type Pin = (argv: readonly [string, ...string[]]) => ResolvedCommand | { readonly problem: string };

export interface Grant extends HookPair {
  /** `explicit_test`: the user requested this run with `hermes hooks test`; nothing is recorded. */
  readonly kind: "approved" | "explicit_test";
  /** With `hooks_consent: pinned`: must be called right before each run, and its result is what runs; else null. */
  readonly pin: Pin | null;
  readonly [brand]: never;
}

/** The answer to "may this pair run?"; a refusal's reason is a clause that says what to do. */
export type Consent =
  | { readonly granted: true; readonly grant: Grant }
  | { readonly granted: false; readonly reason: string };

const issued = new WeakSet<object>();

/** Issues a grant; only for `decide.ts`. */
export function issueGrant(kind: Grant["kind"], { event, command }: HookPair, pin: Pin | null): Grant {
  const grant = Object.freeze({ kind, event, command, pin }) as Grant;
  issued.add(grant);
  return grant;
}

/** Throws a TypeError unless `grant` was issued for exactly this pair. */
export function assertGrant(grant: Grant, pair: HookPair): void {
  if (!issued.has(grant)) throw new TypeError("a script must not run without a grant");
  if (grant.event !== pair.event || grant.command !== pair.command) {
    throw new TypeError(`the grant is for ${grant.event}: ${grant.command}, not for ${pair.event}: ${pair.command}`);
  }
}
