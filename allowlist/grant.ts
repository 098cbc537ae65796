/**
 * The right to run one command at one event. Whoever spawns a script demands a grant; only `decide.ts` makes them.
 * The brand keeps others from writing one in TypeScript, the register of issued grants from making one at run time.
 */
import { wasIssued } from "./decide.ts";

/** An `(event, command)` pair, the exact strings (CONTRACT §5). */
export interface HookPair {
  readonly event: string;
  readonly command: string;
}

declare const brand: unique symbol;

export interface Grant extends HookPair {
  /** `explicit_test`: a person asked for this run with `hermes hooks test`; nothing is recorded. */
  readonly kind: "approved" | "explicit_test";
  readonly [brand]: never;
}

/** The answer to "may this pair run?"; a refusal's reason is a clause that says what to do. */
export type Consent =
  | { readonly granted: true; readonly grant: Grant }
  | { readonly granted: false; readonly reason: string };

/** Throws a TypeError unless `grant` was issued, and for exactly this pair. */
export function assertGrant(grant: Grant, pair: HookPair): void {
  if (!wasIssued(grant)) throw new TypeError("a script must not run without a grant");
  if (grant.event !== pair.event || grant.command !== pair.command) {
    throw new TypeError(`the grant is for ${grant.event}: ${grant.command}, not for ${pair.event}: ${pair.command}`);
  }
}
