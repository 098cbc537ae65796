/** The gateway hooks that `hermes hooks list` shows, read from `hooks/`; no handler is executed. */
import type { Config } from "#core/home/config";
import type { HomePaths } from "#core/home/paths";
import { discoverGatewayHooks, type GatewayHookDiscovery, type FoundGatewayHook } from "#gateway/hooks/discover";
import { gatewayHookSettings } from "#gateway/hooks/settings";
import { TIERS } from "#core/tiers";
import { pythonPlace } from "#cli/python";
import { tierChecks } from "#cli/tiers";
import type { ListedHook, Listing } from "./listed-hook.ts";

/** The folders of `hooks/`, as the gateway would find them. */
export function findGatewayHooks(
  config: Config,
  { hooks }: HomePaths,
  env: NodeJS.ProcessEnv,
): Promise<GatewayHookDiscovery> {
  const { findTierProblem } = tierChecks(() => pythonPlace(config, env));
  return discoverGatewayHooks(hooks, { settings: gatewayHookSettings(config.values), findTierProblem });
}

/** One element for each event of a hook, one for each folder that is skipped. */
export async function listGatewayHooks(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Promise<Listing> {
  const { hooks, warnings } = await findGatewayHooks(config, paths, env);
  return {
    hooks: hooks.flatMap(listGatewayHook),
    warnings: [...warnings, ...hooks.flatMap((found) => (found.kind === "hook" ? found.warnings : []))],
  };
}

/** The elements of one folder. */
export function listGatewayHook(found: FoundGatewayHook): readonly ListedHook[] {
  if (found.kind === "skipped") {
    const { name, reason, isolation: source = TIERS[0].name } = found;
    const state = { state: "skipped", reason, problem: reason } as const;
    return [{ ...COMMON, event: "", source, name, timeout: 0, enabled: false, allowed: false, ...state }];
  }
  const { name, events, isolation: source, timeoutSeconds: timeout, enabled } = found.hook;
  const { untrusted } = found;
  const state = { untrusted, state: enabled ? "enabled" : "disabled", reason: null, problem: null } as const;
  return events.map((event) => ({ ...COMMON, event, source, name, timeout, enabled, allowed: enabled, ...state }));
}

/** What gateway hooks do not have. */
const COMMON = {
  command: null,
  matcher: null,
  protocol: null,
  fail_closed: false,
  approved_at: null,
  drift: "none",
} as const;
