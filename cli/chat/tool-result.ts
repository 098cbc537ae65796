/** What a tool's result says to a person: its text, and how it failed. */
import { parseJson } from "#core/parse-json";

export interface ShownResult {
  readonly lines: readonly string[];
  /** Why the call failed, as a sentence or clause. */
  readonly problem?: string | undefined;
}

/** The keys whose text is what a tool gave, the first one that is there. */
const TEXTS = ["output", "content", "text", "result", "summary", "message"];

/** Reads the JSON of a result; the text of a hook that replaced it is shown as it is. */
export function readResult(content: string): ShownResult {
  const value = parseJson(content);
  if (value === undefined) return { lines: linesOf(content) };
  if (typeof value === "string") return { lines: linesOf(value) };
  if (typeof value !== "object" || value === null) return { lines: value === null ? [] : [JSON.stringify(value)] };
  const { error, exit_code: exitCode } = value as Readonly<Record<string, unknown>>;
  const lines = textOf(value as Readonly<Record<string, unknown>>);
  if (typeof error === "string" && error !== "") return { lines, problem: error };
  const hasFailed = typeof exitCode === "number" && exitCode !== 0;
  return { lines, problem: hasFailed ? `exit code ${exitCode}` : undefined };
}

/** `x` on its own line, for each line of a text; a line end at its end begins no line. */
export function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}

function textOf(value: Readonly<Record<string, unknown>>): readonly string[] {
  const { matches, files, results, error } = value;
  for (const key of TEXTS) if (typeof value[key] === "string") return linesOf(value[key]);
  if (Array.isArray(matches)) return matches.map(matchLine);
  if (Array.isArray(files)) return files.map(String);
  if (Array.isArray(results)) return results.flatMap(childLines);
  if (error !== undefined) return [];
  return Object.keys(value).length === 0 ? [] : [JSON.stringify(value)];
}

function matchLine(match: unknown): string {
  const { path, line, text } = match as { readonly path?: unknown; readonly line?: unknown; readonly text?: unknown };
  if (typeof path !== "string" || typeof text !== "string") return JSON.stringify(match);
  return `${path}:${String(line)}: ${text.trim()}`;
}

function childLines(result: unknown): readonly string[] {
  const { status, summary } = result as { readonly status?: unknown; readonly summary?: unknown };
  if (typeof status !== "string") return [JSON.stringify(result)];
  return linesOf(`${status}: ${typeof summary === "string" ? summary : "no answer"}`);
}
