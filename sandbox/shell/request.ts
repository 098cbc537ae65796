import type { HookRequest } from "#allowlist/grant";
import type { ShellEntry } from "./entries.ts";

/** What an entry needs an approval for. A broken entry may have no command; it does not run. */
export function requestOf({
  event,
  command,
  throughShell,
  env,
  pinIgnore,
}: Pick<ShellEntry, "event" | "command" | "throughShell" | "env" | "pinIgnore">): HookRequest {
  return { event, command: command ?? "", shell: throughShell, env, pinIgnore };
}
