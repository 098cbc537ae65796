/** `hermes help CODE`: the section of docs/errors.md about an error. */
import { readFileSync } from "node:fs";
import { ERRORS, HermesError } from "#core/errors";
import { didYouMean } from "#core/suggest";
import type { CliContext } from "./context.ts";
import { paragraph } from "./list.ts";

/** Prints what an error means and what to do. Throws HERMES_USAGE for an unknown code. */
export function explainCode(word: string, context: Pick<CliContext, "out">): void {
  const code = word.toUpperCase();
  const codes = Object.keys(ERRORS);
  if (!codes.includes(code)) {
    throw new HermesError("HERMES_USAGE", { problem: `There is no error "${code}".${didYouMean(code, codes)}` });
  }
  const { exit } = ERRORS[code as keyof typeof ERRORS];
  const text = sectionOf(code) ?? "docs/errors.md, which explains it, is missing from this installation.";
  const exits = text.includes("Exit code") ? [] : [`Exit code ${exit}.`];
  context.out([code, ...text.split("\n").map(paragraph), ...exits].join("\n"));
}

/** The text of a code's section without the marks of links; undefined when the page is missing. */
function sectionOf(code: string): string | undefined {
  const page = readPage();
  const section = page?.split(/^## /m).find((part) => part.startsWith(`${code}\n`));
  return section
    ?.slice(code.length)
    .trim()
    .replaceAll(/\[([^\]]+)\]\(([^)]*)\)/g, (_, label: string, target: string) =>
      target.startsWith("http") ? `${label} (${target})` : label,
    );
}

/** One folder up in the repository, two in the package. */
function readPage(): string | undefined {
  for (const place of ["../docs/errors.md", "../../docs/errors.md"]) {
    try {
      return readFileSync(new URL(place, import.meta.url), "utf8");
    } catch {
      // Try the other location next.
    }
  }
  return undefined;
}
