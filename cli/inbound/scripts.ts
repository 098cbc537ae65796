/** The scripts of inbound webhooks as the allowlist knows them: an approval is for `(inbound:NAME, script)`. */
import type { ConsentSubject } from "#allowlist/consent";
import type { HookRequest } from "#allowlist/grant";
import { findScriptAccessProblem } from "#allowlist/script-access";
import type { ConfigValues } from "#core/home/config";
import { userHome } from "#core/home/paths";
import { configuredHooks, type InboundHook } from "#daemon/inbound/hooks";
import { findExecutableProblem } from "../commands/hooks/examine-start.ts";

const EVENT_PREFIX = "inbound:";

export interface InboundPlace {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Hermes's home. */
  readonly home: string;
}

/** The name of a hook in an approval's event; undefined for any other event. */
export function inboundNameOf(event: string): string | undefined {
  return event.startsWith(EVENT_PREFIX) ? event.slice(EVENT_PREFIX.length) : undefined;
}

export function inboundHooksOf(values: Pick<ConfigValues, "inbound">, place: Omit<InboundPlace, "home">) {
  return configuredHooks(values.inbound, { cwd: place.cwd, userHome: userHome(place.env) });
}

/** What a hook needs an approval for. */
export function inboundRequest({ name, script, env }: InboundHook): HookRequest {
  return { event: EVENT_PREFIX + name, command: script, shell: false, env };
}

export function inboundSubject(hook: InboundHook): ConsentSubject {
  const { event, command } = inboundRequest(hook);
  return {
    event,
    command,
    argv: [hook.file],
    matcher: null,
    timeoutSeconds: hook.timeoutSeconds,
    failClosed: false,
    enabled: true,
    throughShell: false,
    env: hook.env,
  };
}

/** Why the script could not be started, as a clause; null when it probably can. */
export function findInboundProblem({ file }: InboundHook, place: InboundPlace): string | null {
  return findExecutableProblem([file], place) ?? findScriptAccessProblem([file], place);
}
