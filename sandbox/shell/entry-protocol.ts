/** Reads which program's protocol an entry speaks, and which of its events the entry is for. */
import type { EventName } from "#core/events";
import { didYouMean } from "#core/suggest";
import { describeValue } from "./entry-values.ts";
import { isProtocolName, PROTOCOL_NAMES, PROTOCOLS, type ProtocolName } from "./protocols.ts";

interface ProtocolChoice {
  readonly name: ProtocolName;
  readonly known: boolean;
  readonly argv: null;
  /** Why the entry cannot run with this protocol, as a clause. */
  readonly problem: string | null;
}

/** The entry's `protocol`, and why the entry cannot run with it. */
export function readProtocol(event: EventName, value: unknown): ProtocolChoice {
  const name = value ?? "hermes";
  if (isProtocolName(name)) return { name, known: true, argv: null, problem: PROTOCOLS[name].refuseEvent(event) };
  const hint = typeof name === "string" ? didYouMean(name, PROTOCOL_NAMES) : "";
  const known = `${PROTOCOL_NAMES.slice(0, -1).join(", ")} or ${PROTOCOL_NAMES.at(-1)}`;
  const problem = `unknown protocol ${describeValue(name)}; use ${known}.${hint}`;
  return { name: "hermes", known: false, argv: null, problem: problem.replace(/\.$/, "") };
}

interface ProtocolEventChoice {
  readonly name: string | null;
  /** Why the entry cannot run with this event, as a clause. */
  readonly problem: string | null;
}

/** One of the protocol's own events for ours. A wrong one makes the entry broken: its matcher would mean another thing. */
export function readProtocolEvent(
  event: EventName,
  value: unknown,
  { name, known }: ProtocolChoice,
): ProtocolEventChoice {
  if (value === undefined || value === null || !known) return { name: null, problem: null };
  const names = PROTOCOLS[name].eventNames(event);
  if (typeof value === "string" && names.includes(value)) return { name: value, problem: null };
  const expected =
    names.length === 0 ? `protocol: ${name} has none` : `for ${event}, protocol: ${name} has ${names.join(", ")}`;
  const hint = typeof value === "string" ? didYouMean(value, names) : "";
  return {
    name: null,
    problem: `protocol_event ${describeValue(value)} is not known; ${expected}${hint}`.replace(/[.?]$/, ""),
  };
}
