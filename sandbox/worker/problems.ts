/** Describes what went wrong in a handler as strings that are safe to send. Never throws, whatever was thrown. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { problemOf } from "#core/errors";
import type { HookCode } from "#core/ports/tier";
import { findSyntaxProblem } from "#sandbox/check/syntax";

const LONGEST = 2000;

/** The text of any thrown value, with the position in the hook's own folder if known. */
export function describeError(thrown: unknown, folder: string): string {
  const place = placeIn(thrown, folder);
  const [problem] = problemOf(thrown).trim().split("\n", 1);
  return `${(problem || "an error without a message").slice(0, LONGEST)}${place === undefined ? "" : ` (${place})`}`;
}

/** The same for an error during loading. Node does not report the position of a syntax error in JavaScript. */
export function describeLoadError(thrown: unknown, { folder, handler, sources }: HookCode): string {
  const isSyntax = nameOf(thrown) === "SyntaxError";
  const problem = isSyntax && placeIn(thrown, folder) === undefined ? findSyntaxProblem(handler, sources) : null;
  if (problem !== null) return problem.slice(0, LONGEST);
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  const cure =
    code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
      ? " (types are stripped, not compiled: enum, namespace and parameter properties do not work)"
      : "";
  return `${describeError(thrown, folder)}${cure}`;
}

/** `file:line`, relative to the folder, of the first stack frame in it. */
function placeIn(thrown: unknown, folder: string): string | undefined {
  if (folder === "") return undefined;
  for (const [, url, line] of stackOf(thrown).matchAll(/(file:\/\/[^\s)]+?):(\d+)/g)) {
    const path = pathOf(url!);
    if (path?.startsWith(`${folder}/`)) return `${relative(folder, path)}:${line}`;
  }
  return undefined;
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    // It looks like a URL but is not one.
    return undefined;
  }
}

function stackOf(thrown: unknown): string {
  const stack = property(thrown, "stack");
  return typeof stack === "string" ? stack.slice(0, 20_000) : "";
}

function nameOf(thrown: unknown): unknown {
  return property(thrown, "name");
}

function property(thrown: unknown, key: string): unknown {
  try {
    return (thrown as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  } catch {
    // A getter threw.
    return undefined;
  }
}
