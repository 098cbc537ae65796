/** The JSON document that a script reads on standard input (CONTRACT §6). */
import { declarationOf } from "#core/events";
import type { Firing } from "#core/ports";

const DOCUMENT = Symbol("shell payload");
/** Keys that have a place of their own and are not repeated in `extra`. */
const PLACED = new Set(["tool_name", "args", "session_id", "parent_session_id"]);
const DEEPEST = 200;

/** The document as text, made once per firing, however many scripts read it. */
export function payloadOf(firing: Firing, cwd: string): string {
  return firing.form(DOCUMENT, (payload) => stringify(makeDocument(firing.event, { ...payload }, cwd)));
}

function makeDocument(event: Firing["event"], payload: Record<string, unknown>, cwd: string): Record<string, unknown> {
  const { tool, live = [] } = declarationOf(event);
  const extra = Object.entries(payload).filter(([key]) => !PLACED.has(key) && !live.includes(key));
  return {
    hook_event_name: event,
    tool_name: tool ? payload["tool_name"] : null,
    tool_input: tool ? payload["args"] : null,
    session_id: payload["session_id"] || payload["parent_session_id"] || "",
    cwd,
    extra: Object.fromEntries(extra),
  };
}

/** JSON of anything: what JSON cannot hold becomes a string instead of being left out. Never throws. */
export function stringify(value: unknown): string {
  try {
    return JSON.stringify(value, replaceUnholdable);
  } catch {
    // A cycle, a getter that throws or data nested too deep: copy it piece by piece, with words in their places.
    return JSON.stringify(plainCopy(value, []));
  }
}

function replaceUnholdable(this: unknown, _key: string, value: unknown): unknown {
  return isHoldable(value) ? value : describe(value);
}

function isHoldable(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "object" && value !== null) {
    return !(value instanceof Error || value instanceof Map || value instanceof Set || value instanceof RegExp);
  }
  return typeof value === "string" || typeof value === "boolean" || value === null;
}

function plainCopy(value: unknown, ancestors: readonly object[]): unknown {
  if (!isHoldable(value)) return describe(value);
  if (typeof value !== "object" || value === null) return value;
  if (ancestors.includes(value)) return "[circular]";
  if (ancestors.length >= DEEPEST) return "[nested too deep]";
  const path = [...ancestors, value];
  try {
    if (value instanceof Date) return value.toJSON();
    if (Array.isArray(value)) return value.map((item) => plainCopy(item, path));
    return Object.fromEntries(Object.keys(value).map((key) => [key, plainProperty(value, key, path)]));
  } catch (error) {
    return describe(error);
  }
}

function plainProperty(holder: object, key: string, path: readonly object[]): unknown {
  try {
    return plainCopy((holder as Record<string, unknown>)[key], path);
  } catch (error) {
    return describe(error);
  }
}

function describe(value: unknown): string {
  if (typeof value === "function") return `[function ${value.name || "anonymous"}]`;
  try {
    return String(value);
  } catch {
    // A toString that throws: its type is all that can be said.
    return `[${typeof value}]`;
  }
}
