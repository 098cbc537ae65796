import type { HookPair, HookRequest } from "#allowlist/grant";

/** The request of an ordinary entry: no shell, no variables. */
export function plain({ event, command }: HookPair): HookRequest {
  return { event, command, shell: false, env: [] };
}
