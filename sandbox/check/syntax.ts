/** Checks whether code can be parsed, without running it. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import { problemOf } from "#core/errors";

const PARSED: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);

/**
 * Why a file cannot be parsed, with the line; null when it can, and for files in other languages. Imports are not
 * resolved. JavaScript goes through the TypeScript parser, which reports positions.
 */
export function findSyntaxProblem(file: string): string | null {
  const parsed = parseSource(file);
  return "problem" in parsed ? parsed.problem : null;
}

/** The code of a file without its types, empty for other languages; or the problem of {@link findSyntaxProblem}. */
export function parseSource(file: string): { readonly code: string } | { readonly problem: string } {
  if (!PARSED.has(extname(file))) return { code: "" };
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { emitWarning } = process;
  try {
    const text = readFileSync(file, "utf8");
    // Some editors empty a file before they write it.
    if (text.trim() === "") return { problem: `${file} is empty` };
    // The parser is the one that loads the program's own TypeScript, so its warning about being experimental
    // does not concern the user.
    process.emitWarning = () => undefined;
    return { code: stripTypeScriptTypes(text) };
  } catch (error) {
    const line = /^:(\d+)\n/.exec((error as Error).stack ?? "")?.[1];
    return { problem: `${file}${line === undefined ? "" : `:${line}`}: ${problemOf(error)}` };
  } finally {
    process.emitWarning = emitWarning;
  }
}
