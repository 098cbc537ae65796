/** What a hermes that a tool of the agent started refuses to do (CONTRACT §5). */
import type { Command } from "#cli/command-line/command";
import { agentHomes } from "#core/agent-mark";
import { HermesError } from "#core/errors";
import { commandPath } from "./command-path.ts";
import { isSwitchedOn, type CliContext } from "./context.ts";

/** Commands that change, or go around, what guards the agent. */
const REFUSED: ReadonlySet<string> = new Set([
  "approvals remove",
  "gateway setup",
  "hooks allow",
  "hooks revoke",
  "hooks test",
  "hooks replay",
  "hooks reload",
  "inbound test",
  "plugins enable",
  "plugins disable",
  "plugins install",
  "plugins update",
  "plugins remove",
  "pairing approve",
  "pairing revoke",
]);

/** Commands that only do so with an option. */
const REFUSED_WITH: ReadonlyMap<string, { readonly option: string; readonly flag: string }> = new Map([
  ["hooks import", { option: "write", flag: "--write" }],
]);

/** Throws HERMES_INSIDE_AGENT when an agent started this process. `what` is what it may not use, such as `--accept-hooks`. */
export function refuseOptInInsideAgent(what: string, env: NodeJS.ProcessEnv): void {
  if (agentHomes(env).length > 0) throw new HermesError("HERMES_INSIDE_AGENT", { what });
}

/** Throws HERMES_INSIDE_AGENT for a refused command, and for an opt-in of hooks by flag or environment. */
export function refuseInsideAgent(command: Command, context: CliContext): void {
  const path = commandPath(command);
  const optIn = context.globals(command).acceptHooks
    ? "--accept-hooks"
    : isSwitchedOn(context.env["HERMES_ACCEPT_HOOKS"])
      ? "HERMES_ACCEPT_HOOKS"
      : undefined;
  const changing = REFUSED_WITH.get(path);
  const changes =
    changing !== undefined && (command.optsWithGlobals() as Record<string, unknown>)[changing.option] !== undefined;
  const refused = REFUSED.has(path) ? `hermes ${path}` : changes ? `hermes ${path} ${changing.flag}` : undefined;
  const what = refused ?? optIn;
  if (what !== undefined) refuseOptInInsideAgent(what, context.env);
}
