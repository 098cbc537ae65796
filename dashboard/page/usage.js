/** What sessions took: tokens, and what they cost where the configuration has prices. No DOM. */
import { counted } from "./format.js";
import { isRecord, numberOf } from "./values.js";

/** @typedef {{ input: number, output: number, cost: number | null, unpriced: number }} Usage */

/**
 * The `usage` of an answer; null when it has none.
 *
 * @param {unknown} value
 * @returns {Usage | null}
 */
export function usageOf(value) {
  if (!isRecord(value)) return null;
  return {
    input: numberOf(value["input_tokens"]) ?? 0,
    output: numberOf(value["output_tokens"]) ?? 0,
    cost: numberOf(value["cost"]),
    unpriced: numberOf(value["unpriced_turns"]) ?? 0,
  };
}

/**
 * The tokens and the cost in words; "" for none.
 *
 * @param {Usage | null} usage as it is stored
 * @param {number} [tokens] that events have told of, which may be newer
 */
export function usageWords(usage, tokens = 0) {
  const all = Math.max(tokens, usage === null ? 0 : usage.input + usage.output);
  if (all === 0) return "";
  const cost = costWords(usage);
  return cost === "" ? counted(all, "token") : `${counted(all, "token")} · ${cost}`;
}

/** @param {Usage | null} usage */
function costWords(usage) {
  if (usage === null || usage.cost === null) return "";
  const partly = usage.unpriced > 0 ? ` without ${counted(usage.unpriced, "turn")} of other models` : "";
  // Not broken between the word and the figure.
  return `cost\u00A0${usage.cost.toFixed(4)}${partly}`;
}
