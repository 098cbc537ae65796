/** Registers the configured shell hooks on a host, every one of them: those without consent lie dormant. */
import { delimiter, dirname } from "node:path";
import type { Config } from "#core/config";
import type { HookDispatcher } from "#core/dispatch";
import type { HookPair } from "#allowlist/grant";
import { isSwitchedOn } from "./context.ts";
import type { HostOptions } from "./compose.ts";

interface ShellHookOptions extends HostOptions {
  readonly config: Config;
  readonly dispatcher: HookDispatcher;
  /** Told that an approval could not be written; a home that takes no writes may have been warned about already. */
  readonly onUnrecorded: (sentence: string) => void;
}

/** Settles consent and registers the hooks. Gives the paths of the gates' scripts, which the agent must not touch. */
export async function registerShellHooks(options: ShellHookOptions): Promise<readonly string[]> {
  const { config, context, paths, dispatcher } = options;
  if (config.values.hooks === undefined) return [];
  const { parseHookEntries } = await import("#sandbox/shell/entries");
  const { entries, warnings } = parseHookEntries(config.values.hooks);
  for (const warning of warnings) context.warn(warning);
  if (entries.length === 0) return [];
  const { openApprovals } = await import("#allowlist/approvals");
  const { settleConsent } = await import("#allowlist/consent");
  const { openPrompter } = await import("#allowlist/prompt");
  const { scriptOf } = await import("#allowlist/words");
  const { createShellHook } = await import("#sandbox/shell/hook");
  const place = { cwd: process.cwd(), env: context.env };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  const settlement = await settleConsent(entries, {
    file: paths.allowlist,
    approvals,
    optIn: optInOf(options),
    prompter: options.interactive ? () => openPrompter({ input: process.stdin, output: process.stderr }) : null,
    place,
    onUnrecorded: options.onUnrecorded,
  });
  for (const warning of settlement.warnings) context.warn(warning);
  const surroundings = { cwd: place.cwd, home: paths.home, env: context.env };
  const { ask } = options;
  const decide = (pair: HookPair) => approvals.decide(pair);
  for (const entry of entries) {
    dispatcher.register(createShellHook(entry, { decide, surroundings, ask, warn: context.warn }));
  }
  return entries
    .filter(({ event, enabled }) => enabled && event === "pre_tool_call")
    .flatMap(({ argv }) => (argv === null ? [] : (scriptOf(argv, place) ?? [])))
    .filter((script) => !isProgram(script, context.env));
}

/** True for a program of the system (`jq`, `/usr/bin/python3`): what PATH offers to all is no guard of the user's. */
function isProgram(path: string, env: NodeJS.ProcessEnv): boolean {
  return (env["PATH"] ?? "").split(delimiter).includes(dirname(path));
}

function optInOf({ globals, context, config }: ShellHookOptions): "flag" | "env" | "config" | null {
  if (globals.acceptHooks) return "flag";
  if (isSwitchedOn(context.env["HERMES_ACCEPT_HOOKS"])) return "env";
  return config.values.hooks_auto_accept === true ? "config" : null;
}
