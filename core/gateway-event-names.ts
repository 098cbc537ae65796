/** What may stand in the `events` of a HOOK.yaml: names of an open set, `namespace:name`, and `namespace:*`. */
import { isEventName } from "./events.ts";
import { didYouMean, nearest } from "./suggest.ts";

const LONGEST = 256;
const FORM = /^[\w.-]+:(?:\*|[^\s*]+)$/;

/** Namespaces whose events are all known; others are open: commands, `tui:*`, what plugins emit. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  gateway: ["gateway:startup", "gateway:*"],
  session: ["session:start", "session:end", "session:reset", "session:*"],
  agent: ["agent:start", "agent:step", "agent:end", "agent:*"],
};

/** What a person may have meant by a name that is none. */
const LIKELY = [...Object.values(KNOWN).flat(), "command:*", "tui:*"];

/** Why this cannot be subscribed to, as a clause; null when it can. */
export function findEventProblem(name: unknown): string | null {
  if (typeof name === "object" && name !== null) {
    const [key, value] = Object.entries(name)[0] ?? [];
    if (typeof value !== "string") return "an event is a text such as agent:end";
    return `an event is a text; write ${key}:${value}, without a blank behind the colon`;
  }
  if (typeof name !== "string") return "an event is a text such as agent:end";
  if (name.length > LONGEST) return `an event name has at most ${LONGEST} characters`;
  if (FORM.test(name)) return null;
  if (isEventName(name)) {
    return `${name} is an event of plugins and shell hooks; gateway hooks listen to namespace:name, such as agent:step`;
  }
  if (name === "*") return 'there is no "*" for all events; list the namespaces: agent:*, session:*, command:*';
  if (name.includes("*")) return "the wildcard stands for a whole name: namespace:*";
  return `expected namespace:name or namespace:*.${didYouMean(name, LIKELY)}`;
}

/** A hint at a well-formed name that never fires, as a clause; null when it may. */
export function findEventDoubt(name: string): string | null {
  const namespace = name.slice(0, name.indexOf(":"));
  if (Object.hasOwn(KNOWN, namespace)) {
    const known = KNOWN[namespace]!;
    return known.includes(name) ? null : `nothing emits ${name}.${didYouMean(name, known)}`;
  }
  const near = nearest(name, Object.values(KNOWN).flat());
  return near === undefined ? null : `nothing of hermes emits ${name}. Did you mean "${near}"?`;
}
