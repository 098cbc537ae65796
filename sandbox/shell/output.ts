/** Reads a script's standard output as an answer. */
import { excerpt } from "./outcome.ts";
import { isMapping } from "#core/mapping";

export type HookOutput = { readonly answer: Record<string, unknown> | null } | { readonly problem: string };

/** Parses standard output as one JSON object; empty output and `null` mean no answer. */
export function parseOutput(stdout: string): HookOutput {
  const text = stdout.replace(/^\uFEFF/, "").trim();
  if (text === "") return { answer: null };
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || isMapping(value)) return { answer: value };
    return { problem: `its output is ${Array.isArray(value) ? "an array" : `a ${typeof value}`}, not one JSON object` };
  } catch {
    // The excerpt is more helpful than the parser's own message.
    return { problem: `its output is not one JSON object: ${excerpt(text, 80)}` };
  }
}
