/**
 * The grammar of gateway event names (CONTRACT §4): `namespace:name`, an open set, and `namespace:*` for listeners.
 * Used by HOOK.yaml, `ctx.on`, `ctx.emit`, the registry, and hints about names in the wrong place.
 */
import { isEventName } from "./events.ts";
import { didYouMean, nearest } from "./suggest.ts";

const LONGEST = 256;
const NAME = /^([\w.-]+):.+$/;
const WILDCARD = /^[\w.-]+:\*$/;

/** Namespaces whose events are all known; others are open: commands, `tui:*`, events of plugins. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  gateway: ["gateway:startup", "gateway:*"],
  session: ["session:start", "session:end", "session:reset", "session:*"],
  agent: ["agent:start", "agent:step", "agent:end", "agent:*"],
};

/** What the user may have meant by an unknown name. */
const LIKELY = [...Object.values(KNOWN).flat(), "command:*", "tui:*"];

/** True for the name of a gateway event. */
export function isGatewayEventName(name: string): boolean {
  return name.length <= LONGEST && NAME.test(name);
}

/** The pattern for all events in this one's namespace; null for a name without a namespace. */
export function wildcardOf(event: string): string | null {
  const colon = event.indexOf(":");
  return colon === -1 ? null : `${event.slice(0, colon)}:*`;
}

/** Why one cannot listen to this name, as a clause; null when it is valid. */
export function findPatternProblem(pattern: unknown): string | null {
  if (typeof pattern === "string" && pattern.includes("*") && !WILDCARD.test(pattern)) {
    if (pattern === "*") return 'there is no "*" for all events; list the namespaces: agent:*, session:*, command:*';
    return "the wildcard must replace the whole name: namespace:*";
  }
  return findNameProblem(pattern);
}

/** Why this name cannot be emitted, as a clause; null when it can. */
export function findNameProblem(name: unknown): string | null {
  if (typeof name === "object" && name !== null) {
    const [key, value] = Object.entries(name)[0] ?? [];
    if (typeof value !== "string") return "an event is a string such as agent:end";
    return `an event is a string; write ${key}:${value} without a space after the colon`;
  }
  if (typeof name !== "string") return "an event is a string such as agent:end";
  if (name.length > LONGEST) return `an event name can have at most ${LONGEST} characters`;
  if (isGatewayEventName(name)) return null;
  if (isEventName(name)) {
    return `${name} is an event of plugins and shell hooks; gateway hooks listen to namespace:name, such as agent:step`;
  }
  return `expected namespace:name.${didYouMean(name, LIKELY)}`;
}

/** A hint about a well-formed name that never fires, as a clause; null when it may fire. */
export function findNameDoubt(name: string): string | null {
  const namespace = name.slice(0, name.indexOf(":"));
  if (Object.hasOwn(KNOWN, namespace)) {
    const known = KNOWN[namespace]!;
    return known.includes(name) ? null : `nothing emits ${name}.${didYouMean(name, known)}`;
  }
  const near = nearest(name, Object.values(KNOWN).flat());
  return near === undefined ? null : `nothing of hermes emits ${name}. Did you mean "${near}"?`;
}
