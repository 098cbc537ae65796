/** How a failed command says so: a sentence and, on a terminal, where it is explained; for --json a document. */
import type { CommanderError } from "commander";
import { EXIT, HermesError, isHermesError, problemOf, type ErrorCode } from "#core/errors";
import { isTerminal } from "#core/is-terminal";
import { escapeLineEnds } from "#core/line-endings";
import { styled } from "#core/styled-text";
import type { CliContext } from "./context.ts";

/** Reports what a command threw and sets the exit code. `argv` are the words of the command line. */
export function reportError(error: unknown, argv: readonly string[], context: CliContext): void {
  if (isCommanderError(error)) {
    // Help and version are not failures; commander has already written the rest.
    if (error.exitCode === 0) return context.exit(EXIT.ok);
    const [message = ""] = error.message.replace(/^error: /, "").split("\n");
    writeDocument({ message, code: "HERMES_USAGE" }, argv, context);
    return context.exit(EXIT.usage);
  }
  const shown = isHermesError(error)
    ? error
    : new HermesError("HERMES_INTERNAL", { problem: problemOf(error) }, { cause: error });
  const { code, message, exitCode } = shown;
  context.note(`hermes: ${message}`);
  if (isTerminal(2)) context.styled([[styled(whereExplained(code), "dim")]]);
  if (code === "HERMES_INTERNAL" && context.env["HERMES_DEBUG"]) context.note(String((error as Error).stack));
  writeDocument({ message, code }, argv, context);
  context.exit(exitCode);
}

/** Known by its code, since commander is loaded only where it is needed. */
function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && "code" in error && String(error.code).startsWith("commander.");
}

/** The line below an error on a terminal. */
export function whereExplained(code: ErrorCode): string {
  return `(${code}: "hermes help ${code}" explains it)`;
}

/** Writes the error to standard output for a command that was asked for JSON and has written none. */
function writeDocument(
  error: { readonly message: string; readonly code: ErrorCode },
  argv: readonly string[],
  context: CliContext,
): void {
  const words = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  if (!wantsDocument(words) || context.hasDocument()) return;
  const isStream = words.some((word) => word === "--follow" || word === "-f");
  if (isStream) context.out(escapeLineEnds(JSON.stringify({ error })));
  else context.json({ error });
}

function wantsDocument(words: readonly string[]): boolean {
  const format = words[words.indexOf("--output-format") + 1];
  const isFormat = words.includes("--output-format=json") || (words.includes("--output-format") && format === "json");
  // Words behind `sandbox run` are the command's own.
  return isFormat || (words.includes("--json") && !(words.includes("sandbox") && words.includes("run")));
}
