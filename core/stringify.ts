/** Serialises any payload as JSON. */
import { escapeLineEnds } from "./line-endings.ts";

const DEEPEST = 200;

/** One line of JSON of any value: what JSON cannot represent becomes a string instead of being omitted. Never throws. */
export function stringify(value: unknown): string {
  try {
    return escapeLineEnds(JSON.stringify(value, replaceUnholdable));
  } catch {
    // A cycle, a throwing getter or too deep data: copy it piece by piece, with strings in their place.
    return escapeLineEnds(JSON.stringify(plainCopy(value, [])));
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
    // Its toString threw, so only its type is known.
    return `[${typeof value}]`;
  }
}
