/**
 * The right to run one command at one event. Whoever spawns a script demands a grant; only `decide.ts` makes them, and a
 * test keeps {@link issueGrant} out of every other file.
 * The brand keeps others from writing one in TypeScript, the register of issued grants from making one at run time.
 */

/** An `(event, command)` pair, the exact strings (CONTRACT §5). */
export interface HookPair {
  readonly event: string;
  readonly command: string;
}

declare const brand: unique symbol;

/** What runs instead of a command's own words when scripts are pinned. */
export interface ResolvedCommand {
  readonly argv: readonly [string, ...string[]];
  /** What the program sees as its own name; null for the first of `argv`. */
  readonly argv0: string | null;
  /** The script's own path, for `HERMES_HOOK_SCRIPT`; null for inline code. */
  readonly script: string | null;
}

/** Looks at the script now: what to run for these words, or why nothing, as a clause. */
export type Pin = (argv: readonly [string, ...string[]]) => ResolvedCommand | { readonly problem: string };

export interface Grant extends HookPair {
  /** `explicit_test`: a person asked for this run with `hermes hooks test`; nothing is recorded. */
  readonly kind: "approved" | "explicit_test";
  /** With `hooks_consent: pinned`: must be asked right before each run, and its answer is what runs; else null. */
  readonly pin: Pin | null;
  readonly [brand]: never;
}

/** The answer to "may this pair run?"; a refusal's reason is a clause that says what to do. */
export type Consent =
  | { readonly granted: true; readonly grant: Grant }
  | { readonly granted: false; readonly reason: string };

const issued = new WeakSet<object>();

/** Makes a grant: for `decide.ts` alone. */
export function issueGrant(kind: Grant["kind"], { event, command }: HookPair, pin: Pin | null): Grant {
  const grant = Object.freeze({ kind, event, command, pin }) as Grant;
  issued.add(grant);
  return grant;
}

/** Throws a TypeError unless `grant` was issued, and for exactly this pair. */
export function assertGrant(grant: Grant, pair: HookPair): void {
  if (!issued.has(grant)) throw new TypeError("a script must not run without a grant");
  if (grant.event !== pair.event || grant.command !== pair.command) {
    throw new TypeError(`the grant is for ${grant.event}: ${grant.command}, not for ${pair.event}: ${pair.command}`);
  }
}
