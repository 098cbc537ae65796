/** Collects what guards an agent, from configurations and from what runs. */
import { existsSync } from "node:fs";
import { scriptOf, type LookupContext } from "#allowlist/words";
import { declarationOf } from "#core/events";
import type { Config } from "#core/home/config";
import type { GuardState, ShellGuard } from "#core/ports/guards";
import { gatewayHookSettings } from "#gateway/hooks/settings";
import type { ShellEntry } from "#sandbox/shell/entries";

/** The guards that are settings. */
export function guardSettingsOf({ values }: Config): Omit<GuardState, "shell" | "plugins" | "gatewayHooks"> {
  const { untrusted, grants } = gatewayHookSettings(values);
  const { tools = "auto", hooks = "off", inbound = "off" } = values.sandbox ?? {};
  return {
    consent: values.hooks_consent ?? "command",
    autoAccept: values.hooks_auto_accept === true,
    walls: { tools, hooks, inbound },
    untrusted,
    grants,
  };
}

/** The entries at gates that work, or block because they do not. */
export function describeGates(entries: readonly ShellEntry[], place: LookupContext): readonly ShellGuard[] {
  return entries
    .filter(({ event, enabled, problem, failClosed }) => {
      return enabled && declarationOf(event).kind === "gate" && (problem === null || failClosed);
    })
    .map((entry) => describe(entry, place));
}

function describe(entry: ShellEntry, place: LookupContext): ShellGuard {
  const { event, index, name, command, argv, matcher, timeoutSeconds, failClosed, ...others } = entry;
  const { toolMatcher: _matcher, background: _background, enabled: _enabled, ...terms } = others;
  const script = argv === null ? null : scriptOf(argv, place);
  return {
    event,
    label: `the hook "${name}" (hooks.${event}[${index}])`,
    command,
    matcher,
    timeoutSeconds,
    failClosed,
    terms: { argv, ...terms },
    missingScript: script === null || existsSync(script) ? null : script,
  };
}
