/**
 * An entry's `matcher`: a regular expression in Python's dialect, matched against the whole tool name (CONTRACT §6).
 * When in doubt a guard must run, so a match that takes too long is treated as a match.
 */
import { memoize } from "#core/bounded-map";
import type { McpToolName } from "#core/mcp-names";

/** What another protocol's names of tools depend on. */
export interface ToolOrigins {
  /** The server and its own name of an MCP tool; undefined for any other tool. */
  readonly mcpTool?: ((toolName: string) => McpToolName | undefined) | undefined;
}

export interface Matcher {
  /** Takes our name of a tool and, for a call, its arguments, since another protocol's name may depend on them. */
  matches(toolName: string, args?: unknown, origins?: ToolOrigins): boolean;
  /** A clause for a warning when the pattern is not a valid expression and is used as a literal name; else null. */
  readonly problem: string | null;
  /** The argument that the pattern is tested against, where it is not the tool's name. */
  readonly subject?: string;
}

export const EVERYTHING: Matcher = { matches: () => true, problem: null };
const TIMEOUT_MS = 100;
/** Names are an open set (a model may invent them), so only this many results are cached. */
const MOST_REMEMBERED = 500;
const LONGEST_REMEMBERED = 200;

/** Creates a matcher from a pattern; null and blank match every tool. Never throws. */
export function createMatcher(pattern: string | null): Matcher {
  const trimmed = pattern?.trim() ?? "";
  if (trimmed === "") return EVERYTHING;
  const compiled = compile(trimmed);
  if (typeof compiled === "string") return { matches: (name) => name === trimmed, problem: compiled };
  const test = isPlain(trimmed) ? (name: string) => compiled.test(name) : boundedTest(compiled);
  const matches = remembered(test);
  return { matches: (name) => matches(name), problem: null };
}

/** Tests names with an expression of unknown cost: limited in time, with results cached. */
export function createBoundedTest(expression: RegExp): (name: string) => boolean {
  return remembered(boundedTest(expression));
}

function remembered(test: (name: string) => boolean): (name: string) => boolean {
  const matches = memoize(test, MOST_REMEMBERED);
  return (name) => (name.length <= LONGEST_REMEMBERED ? matches(name) : test(name));
}

/** The expression, anchored at both ends, or the reason why it is invalid. */
function compile(pattern: string): RegExp | string {
  const flags = /^\(\?([aimsuLx]+)\)/.exec(pattern);
  const letters = flags?.[1] ?? "";
  const body = translate(flags === null ? pattern : pattern.slice(flags[0].length));
  if (/[xL]/.test(letters)) return `the flag in ${flags?.[0]} is not supported`;
  const wanted = [...new Set(letters)].filter((letter) => "ims".includes(letter)).join("");
  // Test the expression alone first: "a)(b" must not become valid inside parentheses.
  let problem = "";
  for (const unicode of ["u", ""]) {
    try {
      void new RegExp(body, wanted + unicode);
      return new RegExp(`(?<![^])(?:${body})(?![^])`, wanted + unicode);
    } catch (error) {
      problem = (error as Error).message.replace(/^.*: /s, "");
    }
  }
  const hint = pattern === "*" ? ' (to match every tool, leave "matcher" out)' : "";
  return `${problem}${hint}`;
}

/** Translates Python's syntax to JavaScript's: `(?P<n>…)`, `(?P=n)`, `(?#…)`, `\A` and `\Z`. */
function translate(pattern: string): string {
  return pattern.replace(
    /\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]|\(\?P<|\(\?P=(\w+)\)|\(\?#[^)]*\)/g,
    (found: string, name: string | undefined) => {
      if (found === "\\A") return "(?<![^])";
      if (found === "\\Z") return "(?![^])";
      if (found === "(?P<") return "(?<";
      if (name !== undefined) return `\\k<${name}>`;
      if (found.startsWith("(?#")) return "";
      return found.startsWith("[") ? translateClass(found) : found;
    },
  );
}

/** In Python a `]` right after the start of a character class is literal. */
function translateClass(found: string): string {
  return found.replace(/^(\[\^?)\]/, "$1\\]");
}

/** True for patterns that are always fast: names, alternatives and at most one quantifier, without groups. */
function isPlain(pattern: string): boolean {
  const body = pattern.replace(/^\(\?i\)/, "");
  return /^[\w\s.:|^$*+?/-]*$/.test(body) && (body.match(/[*+?]/g)?.length ?? 0) <= 1;
}

/** Tests in a separate context, because only there the engine can be interrupted during a match. */
function boundedTest(expression: RegExp): (name: string) => boolean {
  let run: ((name: string) => boolean) | undefined;
  return (name) => {
    run ??= prepare(expression);
    try {
      return run(name);
    } catch {
      // The match timed out or overflowed the stack: when in doubt, the guard runs.
      return true;
    }
  };
}

function prepare(expression: RegExp): (name: string) => boolean {
  // Loaded here because few configurations need it, and synchronously because matching is synchronous.
  const { createContext, Script } = process.getBuiltinModule("node:vm");
  const globals = { expression, name: "" };
  const context = createContext(globals);
  const script = new Script("expression.test(name)");
  return (name) => {
    globals.name = name;
    return script.runInContext(context, { timeout: TIMEOUT_MS }) === true;
  };
}
