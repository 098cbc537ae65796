/** The scripts of inbound webhooks that `hermes hooks list` shows: consent treats them like any command. */
import { openApprovals } from "#allowlist/approvals";
import type { Config } from "#core/home/config";
import type { HomePaths } from "#core/home/paths";
import { findInboundProblem, inboundHooksOf, inboundRequest } from "#cli/inbound/scripts";
import { consentFor } from "./consent-state.ts";
import type { ListedHook, Listing } from "./listed-hook.ts";

/** In the order of the file. A script that could not be started is a warning. */
export function listInboundHooks(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Listing {
  const place = { cwd: process.cwd(), env, home: paths.home, pinned: config.values.hooks_consent === "pinned" };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  const hooks = inboundHooksOf(config.values, place).map((hook): ListedHook => {
    const request = inboundRequest(hook);
    return {
      event: request.event,
      source: "shell",
      name: hook.name,
      command: hook.script,
      matcher: null,
      protocol: null,
      timeout: hook.timeoutSeconds,
      fail_closed: false,
      enabled: true,
      ...consentFor(request, [hook.file], approvals, place),
      problem: findInboundProblem(hook, place),
    };
  });
  const warnings = hooks.flatMap(({ event, problem }) => (problem === null ? [] : [`${event}: ${problem}.`]));
  return { hooks, warnings };
}
