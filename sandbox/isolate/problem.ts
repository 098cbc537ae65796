/** What went wrong in an isolate, as a sentence for people that names the handler's file and line where it can. */
import { SIZE_LIMITS } from "./limits.ts";

/** `    at inner (lib/a.ts:1:42)` and `    at handler.ts:2:7`. */
const FRAME = /^\s+at (?:.* \()?([^()]+:\d+:\d+)\)?$/gm;
/** Where V8 puts the place of a syntax error: `Unexpected token '}' [handler.ts:2:9]`. */
const AFTER_MESSAGE = / \[([^[\]]+:\d+:\d+)\]$/;
/** Modules of ours. */
const OWN = "hermes:";

/** A name, a message and a stack, of which any may be anything, as `message (file:line:column)`. */
export function sentenceOf(name: string, message: string, stack: string): string {
  const plain = name === "" || name === "Error" || name === "undefined";
  const words = (plain ? message : `${name}: ${message}`) || "an error without a message";
  const said = words.replace(AFTER_MESSAGE, " ($1)");
  const place = said === words ? placeOf(stack) : undefined;
  return cut(place === undefined ? said : `${said} (${place})`);
}

/** The sentence of what the guest described (`describe` of guest.ts). Never throws. */
export function readDescription(text: string): string {
  try {
    const [name, message, stack] = (JSON.parse(text) as unknown[]).map(String);
    return sentenceOf(name ?? "", message ?? "", stack ?? "");
  } catch {
    // Not written by our guest: then it is shown as it came.
    return cut(text);
  }
}

/** The sentence of what an isolate's entry rejected with: an error that was copied out of it, or a bare value. */
export function describeRejection(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return cut(`it threw ${JSON.stringify(thrown) ?? String(thrown)}`);
  const { name, message, stack } = thrown as Partial<Record<"name" | "message" | "stack", unknown>>;
  return sentenceOf(asText(name), asText(message), asText(stack));
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function placeOf(stack: string): string | undefined {
  for (const [, place = ""] of stack.matchAll(FRAME)) {
    if (!place.startsWith(OWN) && !place.startsWith("file:") && !place.startsWith("node:")) return place;
  }
  return undefined;
}

function cut(text: string): string {
  return text.length > SIZE_LIMITS.problem ? `${text.slice(0, SIZE_LIMITS.problem)}…` : text;
}
