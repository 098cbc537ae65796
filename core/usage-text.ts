/** `/cost` and the context meter of every surface. */
import type { UsageRecord } from "./ports/agent.ts";

/** What a million tokens of a model cost. */
export interface ModelPrices {
  readonly id: string;
  readonly input: number;
  readonly output: number;
}

/** What one or more turns of one model took; `turns` is 1 when absent. */
export interface UsagePart extends Pick<UsageRecord, "model" | "input_tokens" | "output_tokens"> {
  readonly turns?: number;
}

/** What turns took together. */
export interface UsageSum {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of the turns whose model has prices; null when there is none. */
  readonly cost: number | null;
  /** Turns that `cost` leaves out because their model has no prices; 0 when it is null. */
  readonly unpriced_turns: number;
}

/** The answer to `/compact` of a session that is too short. */
export const NOTHING_TO_COMPACT = "There is nothing to summarize yet: the last exchanges stay as they are.";

const LISTED = 20;
const MILLION = 1_000_000;

/**
 * The tokens of the last turns and of all, with their cost where the configuration has prices of the model. `at` of
 * `usages` goes from old to new.
 */
export function costText(usages: readonly UsageRecord[], prices?: ModelPrices): string {
  if (usages.length === 0) return "No turn of this session has used the model yet.";
  const lines = usages.map((usage, index) => {
    const what = usage.kind === "turn" ? "turn" : "summary";
    return `${index + 1}. ${what}, ${usage.model ?? "unknown model"}: ${amounts([usage], prices)}`;
  });
  const earlier = usages.length - LISTED;
  return [
    ...(earlier > 0 ? [`(${earlier} earlier turns are not listed)`] : []),
    ...lines.slice(-LISTED),
    `total: ${amounts(usages, prices)}`,
    ...(prices === undefined ? [] : [`${prices.id}: ${prices.input} in and ${prices.output} out for a million tokens`]),
  ].join("\n");
}

/** The tokens of all parts, and the cost of those whose model has prices. */
export function sumUsage(parts: readonly UsagePart[], prices: ModelPrices | undefined): UsageSum {
  const sum = (of: (part: UsagePart) => number, some = parts) => some.reduce((total, part) => total + of(part), 0);
  const tokens = { input_tokens: sum((part) => part.input_tokens), output_tokens: sum((part) => part.output_tokens) };
  const priced = parts.filter(({ model }) => model === prices?.id);
  if (prices === undefined || priced.length === 0) return { ...tokens, cost: null, unpriced_turns: 0 };
  const cost = sum((part) => part.input_tokens * prices.input + part.output_tokens * prices.output, priced) / MILLION;
  const turns = (part: UsagePart) => part.turns ?? 1;
  return { ...tokens, cost, unpriced_turns: sum(turns) - sum(turns, priced) };
}

/** `12.3k of 200k tokens (6%)`, how much of the model's context the last request took; empty before the first one. */
export function contextText(usages: readonly UsageRecord[], limit: number | undefined): string {
  const tokens = usages.at(-1)?.context_tokens ?? 0;
  if (tokens === 0) return "";
  if (limit === undefined) return `${shortNumber(tokens)} tokens`;
  return `${shortNumber(tokens)} of ${shortNumber(limit)} tokens (${Math.round((100 * tokens) / limit)}%)`;
}

/** `ctx 6%`, the same for a line with little room; empty without tokens, and where the limit is not known. */
export function contextShare(tokens: number, limit: number | undefined): string {
  if (tokens === 0 || limit === undefined) return "";
  const percent = Math.round((100 * tokens) / limit);
  return `ctx ${percent === 0 ? "<1" : percent}%`;
}

function amounts(usages: readonly UsageRecord[], prices: ModelPrices | undefined): string {
  const { input_tokens, output_tokens, cost, unpriced_turns: rest } = sumUsage(usages, prices);
  const tokens = `${inWords(input_tokens)} in, ${inWords(output_tokens)} out`;
  if (cost === null) return tokens;
  const partly = rest === 0 ? "" : ` without ${rest === 1 ? "1 turn" : `${rest} turns`} of other models`;
  return `${tokens}, cost ${cost.toFixed(4)}${partly}`;
}

function inWords(tokens: number): string {
  return tokens.toLocaleString("en");
}

function shortNumber(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${(tokens / 1000).toFixed(tokens < 100_000 ? 1 : 0).replace(/\.0$/, "")}k`;
}
