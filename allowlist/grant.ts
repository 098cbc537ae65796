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

/** What an approval covers besides the pair (CONTRACT §5). */
export interface ConsentTerms {
  /** True when the command runs through `sh -c`, which interprets `;`, `|` and `$(…)` in it. */
  readonly shell: boolean;
  /** Variables that the script gets although they are named like secrets; a set. */
  readonly env: readonly string[];
}

/** What a configured entry needs an approval for. */
export interface HookRequest extends HookPair, ConsentTerms {
  /** `pin_ignore`: data files of the command, which `hooks_consent: pinned` exempts if the approval does, too. */
  readonly pinIgnore?: readonly string[];
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

export interface Grant extends HookRequest {
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
export function issueGrant(kind: Grant["kind"], request: HookRequest, pin: Pin | null): Grant {
  const { event, command, shell, env } = request;
  const grant = Object.freeze({ kind, event, command, shell, env: Object.freeze([...env]), pin }) as Grant;
  issued.add(grant);
  return grant;
}

/** Throws a TypeError unless `grant` was issued for exactly this pair, with this shell and these variables. */
export function assertGrant(grant: Grant, request: HookRequest): void {
  if (!issued.has(grant)) throw new TypeError("a script must not run without a grant");
  if (grant.event !== request.event || grant.command !== request.command) {
    throw new TypeError(
      `the grant is for ${grant.event}: ${grant.command}, not for ${request.event}: ${request.command}`,
    );
  }
  if (grant.shell !== request.shell || new Set(grant.env).symmetricDifference(new Set(request.env)).size > 0) {
    throw new TypeError(`the grant for ${grant.event}: ${grant.command} is for another shell or environment`);
  }
}
