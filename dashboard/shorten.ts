/** Limits the size of one event, so that a tool's output of many megabytes cannot push out all other events. */
import type { EventContext } from "#core/registry";

/** Maximum size of the JSON of a context. */
const MOST_KEPT = 64 * 1024;
const KEPT_OF_A_STRING = 1000;

/**
 * The context's JSON if it is short enough, else a shorter form marked `"_truncated": true`: with long strings cut, or,
 * if that is not enough, only the strings and numbers of the first level and the beginning of the whole.
 */
export function shorten(context: EventContext, json: string): string {
  if (json.length <= MOST_KEPT) return json;
  const cut = JSON.stringify({ ...context, _truncated: true }, (_key, value: unknown) => cutValue(value));
  if (cut.length <= MOST_KEPT) return cut;
  const plain = Object.entries(context).filter(([, value]) => typeof value !== "object");
  const rest = plain.slice(0, 20).map(([key, value]) => [cutString(key), cutValue(value)] as const);
  return JSON.stringify({ ...Object.fromEntries(rest), _truncated: true, _beginning: cutString(json) });
}

function cutValue(value: unknown): unknown {
  return typeof value === "string" ? cutString(value) : value;
}

function cutString(text: string): string {
  if (text.length <= KEPT_OF_A_STRING) return text;
  return `${text.slice(0, KEPT_OF_A_STRING).toWellFormed()}… (${text.length} characters)`;
}
