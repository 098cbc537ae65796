/** What approves configured hooks without a question (CONTRACT §5). */
import type { Config } from "#core/home/config";
import { isSwitchedOn, type GlobalOptions } from "./context.ts";
import { refuseOptInInsideAgent } from "./inside-agent.ts";

/** The opt-in of this run, or null. Throws HERMES_INSIDE_AGENT for one that an agent has switched on. */
export function optInOf(
  { acceptHooks }: Pick<GlobalOptions, "acceptHooks">,
  config: Config,
  env: NodeJS.ProcessEnv,
): "flag" | "env" | "config" | null {
  if (acceptHooks) return "flag";
  if (isSwitchedOn(env["HERMES_ACCEPT_HOOKS"])) return "env";
  if (config.values.hooks_auto_accept !== true) return null;
  refuseOptInInsideAgent("hooks_auto_accept", env);
  return "config";
}
