/** `/cost` and the context meter of every surface. */
import type { UsageRecord } from "./ports/agent.ts";

/** What a million tokens of a model cost. */
export interface ModelPrices {
  readonly id: string;
  readonly input: number;
  readonly output: number;
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
  const sum = (of: (usage: UsageRecord) => number) => usages.reduce((total, usage) => total + of(usage), 0);
  const tokens = `${inWords(sum((usage) => usage.input_tokens))} in, ${inWords(sum((usage) => usage.output_tokens))} out`;
  const priced = prices === undefined ? [] : usages.filter(({ model }) => model === prices.id);
  if (prices === undefined || priced.length === 0) return tokens;
  const cost = priced.reduce(
    (total, usage) => total + usage.input_tokens * prices.input + usage.output_tokens * prices.output,
    0,
  );
  const rest = usages.length - priced.length;
  const partly = rest === 0 ? "" : ` without ${rest === 1 ? "1 turn" : `${rest} turns`} of other models`;
  return `${tokens}, cost ${(cost / MILLION).toFixed(4)}${partly}`;
}

function inWords(tokens: number): string {
  return tokens.toLocaleString("en");
}

function shortNumber(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${(tokens / 1000).toFixed(tokens < 100_000 ? 1 : 0).replace(/\.0$/, "")}k`;
}
