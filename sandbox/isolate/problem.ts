/** Describes what went wrong in an isolate, with the handler's file and line if known. */
import { truncate } from "#core/truncate";
import { SIZE_LIMITS } from "./limits.ts";

/** `    at inner (lib/a.ts:1:42)` and `    at handler.ts:2:7`. */
const FRAME = /^\s+at (?:.* \()?([^()]+:\d+:\d+)\)?$/gm;
/** Where V8 puts the position of a syntax error: `Unexpected token '}' [handler.ts:2:9]`. */
const AFTER_MESSAGE = / \[([^[\]]+:\d+:\d+)\]$/;
/** Our own modules. */
const OWN = "hermes:";

/** Formats an error as `message (file:line:column)`; its name, message and stack may be anything. */
export function sentenceOf(name: string, message: string, stack: string): string {
  const plain = name === "" || name === "Error" || name === "undefined";
  const words = (plain ? message : `${name}: ${message}`) || "an error without a message";
  const said = words.replace(AFTER_MESSAGE, " ($1)");
  const place = said === words ? placeOf(stack) : undefined;
  return truncate(place === undefined ? said : `${said} (${place})`, SIZE_LIMITS.problem);
}

/** The sentence for an error that the guest described (`describe` of guest.ts). Never throws. */
export function readDescription(text: string): string {
  try {
    const [name, message, stack] = (JSON.parse(text) as unknown[]).map(String);
    return sentenceOf(name ?? "", message ?? "", stack ?? "");
  } catch {
    // Not written by our guest code, so it is shown as it is.
    return truncate(text, SIZE_LIMITS.problem);
  }
}

/** The sentence for the rejection of an isolate's entry: a copied error, or any other value. */
export function describeRejection(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null)
    return truncate(`it threw ${JSON.stringify(thrown) ?? String(thrown)}`, SIZE_LIMITS.problem);
  const { name, message, stack } = thrown as Partial<Record<"name" | "message" | "stack", unknown>>;
  return sentenceOf(asText(name), asText(message), asText(stack));
}

/** Says what was imported where V8's message for an `import()` is only "Not supported". */
export function explainDynamicImport(problem: string, dynamicImports: readonly string[]): string {
  const [found, place = ""] = /^Not supported( \(.*\))?$/.exec(problem) ?? [];
  const names = dynamicImports.map((name) => `import(${name})`).join(", ");
  if (found === undefined || names === "") return problem;
  return `${names} is not allowed in an isolate: a handler can only import files of its own folder, and not while it runs${place}`;
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
