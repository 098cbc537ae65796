/** Checks whether code can be parsed, without running it. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import { problemOf } from "#core/errors";
import type { KeptSources } from "#core/extensions/sources";

const PARSED: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);

/**
 * Why a file cannot be parsed, with the line; null when it can, and for files in other languages. Imports are not
 * resolved. JavaScript goes through the TypeScript parser, which reports positions.
 */
export function findSyntaxProblem(file: string, sources?: KeptSources): string | null {
  const parsed = parseSource(file, sources);
  return "problem" in parsed ? parsed.problem : null;
}

/** The code of a file without its types, empty for other languages; or the problem of {@link findSyntaxProblem}. */
export function parseSource(
  file: string,
  sources?: KeptSources,
): { readonly code: string } | { readonly problem: string } {
  if (!PARSED.has(extname(file))) return { code: "" };
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { emitWarning } = process;
  try {
    const text = readSource(file, sources);
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

/** The text of a file of a version; from the disk if it is not kept. Throws what reading throws. */
export function readSource(file: string, sources?: KeptSources): string {
  const kept = sources?.get(file);
  return kept === undefined ? readFileSync(file, "utf8") : new TextDecoder().decode(kept.content);
}
