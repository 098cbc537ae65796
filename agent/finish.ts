/** Why an answer ended, and what users need to be told about it. */
import type { FinishReason } from "#core/frames";

/** The `ai` package's words where they are not OpenAI's. */
const RENAMED: Readonly<Record<string, FinishReason>> = {
  "content-filter": "content_filter",
  "tool-calls": "tool_calls",
};

const KNOWN: ReadonlySet<string> = new Set<FinishReason>(["stop", "length", "error"]);

/** Turns the `ai` package's reason into OpenAI's word; an unknown one is `other`. */
export function finishReasonOf(reason: string): FinishReason {
  if (KNOWN.has(reason)) return reason as FinishReason;
  return RENAMED[reason] ?? "other";
}

interface Answer {
  /** As the model gave it. */
  readonly text: string;
  /** After hooks, which may silence the model, or write the answer themselves. */
  readonly shown: string;
  readonly reasoned: boolean;
  readonly finish_reason: FinishReason;
}

/** The sentence about an empty or incomplete answer, the same on every surface; null for a complete one. */
export function noticeFor({ text, shown, reasoned, finish_reason }: Answer): string | null {
  const empty = shown.trim() === "";
  if (empty && text.trim() !== "") return null;
  switch (finish_reason) {
    case "length":
      if (!empty) return "The answer was cut off at the model's length limit.";
      return `There is no answer: ${reasoned ? "the reasoning" : "it"} was cut off at the model's length limit.`;
    case "content_filter":
      return empty
        ? "There is no answer: the model refused, or a content filter stopped it."
        : "The answer ended early: the model refused, or a content filter stopped it.";
    default:
      if (!empty) return null;
      return reasoned ? "The model only reasoned and gave no answer." : "The model gave an empty answer.";
  }
}
