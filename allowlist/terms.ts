/** Reads, joins and compares what approvals cover besides event and command: the shell and variables (CONTRACT §5). */
import type { ConsentTerms } from "./grant.ts";

const SHELL_TERM = "the shell (sh -c)";

/** The terms that an entry of the approvals file grants. Values of another form grant nothing. */
export function readTerms({ shell, env }: { readonly shell?: unknown; readonly env?: unknown }): ConsentTerms {
  const names = Array.isArray(env) ? env.filter((name): name is string => typeof name === "string") : [];
  return { shell: shell === true, env: names };
}

/** The terms of both. */
export function joinTerms(one: ConsentTerms, other: ConsentTerms): ConsentTerms {
  return { shell: one.shell || other.shell, env: [...new Set([...one.env, ...other.env])] };
}

/** The keys that record the terms in the approvals file; none for the terms of an ordinary hook. */
export function termsRecord({ shell, env }: ConsentTerms): { readonly shell?: true; readonly env?: readonly string[] } {
  return { ...(shell ? { shell } : {}), ...(env.length === 0 ? {} : { env: [...new Set(env)] }) };
}

/** What of `wanted` is not granted, in words; empty when everything is. An approval for more covers less. */
export function missingTerms(wanted: ConsentTerms, granted: ConsentTerms): readonly string[] {
  return describeTerms({
    shell: wanted.shell && !granted.shell,
    env: [...new Set(wanted.env).difference(new Set(granted.env))],
  });
}

/** The terms in words, one by one; empty for those of an ordinary hook. */
function describeTerms({ shell, env }: ConsentTerms): readonly string[] {
  return [...(shell ? [SHELL_TERM] : []), ...new Set(env)];
}
