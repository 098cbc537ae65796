/**
 * Holds gateway hooks to what the configuration grants them, whatever their `HOOK.yaml` says: for folders that somebody
 * else may change, such as a pulled repository (CONTRACT §8).
 */
import { join } from "node:path";
import type { Allowances, GatewayHook } from "#core/ports/tier";
import { didYouMean } from "#core/suggest";
import type { TierName } from "#core/tiers";
import type { GatewayHookSettings } from "./settings.ts";

export type HookTrust = Pick<GatewayHookSettings, "untrusted" | "grants">;

const UNTRUSTED = "gateway.hooks.untrusted";
const GRANTS = "gateway.hooks.grants";
const NOTHING: Allowances = { fetch: [], env: [], kv: false };

export interface HeldHook {
  readonly hook: GatewayHook;
  readonly untrusted: boolean;
  /** About what its manifest asks for and does not get. */
  readonly warnings: readonly string[];
}

/** `hook` within its bounds. `asked` is the tier that its manifest names, if it names one. */
export function holdToGrants(hook: GatewayHook, asked: TierName | undefined, trust: HookTrust): HeldHook {
  const { directory, allow: wanted } = hook;
  if (!trust.untrusted.includes(directory)) return { hook, untrusted: false, warnings: [] };
  const granted = grantsOf(directory, trust);
  const refused = excess(wanted, granted);
  const where = join("hooks", directory);
  const warnings = [];
  if (asked !== undefined && asked !== "isolate") {
    warnings.push(`${where} asks for isolation: ${asked}, but ${UNTRUSTED} names it, so it runs in an isolate.`);
  }
  if (refused.length > 0) {
    warnings.push(
      `${where} asks for more than ${GRANTS}.${directory} grants, and does not get it: ${refused.join(", ")}.`,
    );
  }
  return { hook: { ...hook, isolation: "isolate", allow: commonTo(wanted, granted) }, untrusted: true, warnings };
}

/** What the hook of a folder may be allowed at most. */
export function grantsOf(directory: string, { grants }: Pick<HookTrust, "grants">): Allowances {
  return Object.hasOwn(grants, directory) ? grants[directory]! : NOTHING;
}

/** What `wanted` has and `granted` has not, an item each. */
export function excess(wanted: Allowances, granted: Allowances): readonly string[] {
  return [
    ...wanted.fetch.filter((host) => !granted.fetch.includes(host)).map((host) => `fetch ${host}`),
    ...wanted.env.filter((name) => !granted.env.includes(name)).map((name) => `env ${name}`),
    ...(wanted.kv && !granted.kv ? ["kv"] : []),
  ];
}

function commonTo(wanted: Allowances, granted: Allowances): Allowances {
  return {
    fetch: wanted.fetch.filter((host) => granted.fetch.includes(host)),
    env: wanted.env.filter((name) => granted.env.includes(name)),
    kv: wanted.kv && granted.kv,
  };
}

/** Warns about names that have no effect: with a misspelt name, a hook would be trusted by mistake. */
export function findTrustDoubts({ untrusted, grants }: HookTrust, directories: readonly string[]): readonly string[] {
  const missing = untrusted
    .filter((name) => !directories.includes(name))
    .map((name) => `${UNTRUSTED}: there is no folder ${join("hooks", name)}.${didYouMean(name, directories)}`);
  const unused = Object.keys(grants)
    .filter((name) => !untrusted.includes(name))
    .map(
      (name) =>
        `${GRANTS}.${name} has no effect, because ${UNTRUSTED} does not name ${name}.${didYouMean(name, untrusted)}`,
    );
  return [...missing, ...unused];
}
