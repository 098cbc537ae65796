/** Whether code can be parsed, found out without running it. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import { problemOf } from "#core/errors";

const PARSED: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);

/**
 * What keeps a file from being parsed, with its line; null when nothing does, and for files in other languages. Its
 * imports are not looked for. JavaScript goes through the parser of TypeScript, which says where it is wrong.
 */
export function findSyntaxProblem(file: string): string | null {
  const parsed = parseSource(file);
  return "problem" in parsed ? parsed.problem : null;
}

/** The code of a file without its types, empty for files in other languages; or what {@link findSyntaxProblem} says. */
export function parseSource(file: string): { readonly code: string } | { readonly problem: string } {
  if (!PARSED.has(extname(file))) return { code: "" };
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { emitWarning } = process;
  try {
    const text = readFileSync(file, "utf8");
    // An editor that empties a file before it writes it.
    if (text.trim() === "") return { problem: `${file} is empty` };
    // The parser is what loads the program's own TypeScript; that it is also to be had by this name is called an
    // experiment once, which is nobody's concern.
    process.emitWarning = () => undefined;
    return { code: stripTypeScriptTypes(text) };
  } catch (error) {
    const line = /^:(\d+)\n/.exec((error as Error).stack ?? "")?.[1];
    return { problem: `${file}${line === undefined ? "" : `:${line}`}: ${problemOf(error)}` };
  } finally {
    process.emitWarning = emitWarning;
  }
}
