/**
 * An entry's `matcher`: a regular expression in Python's dialect, matched against the whole tool name (CONTRACT §6).
 * A guard must run when in doubt, so a match that takes too long counts as a match.
 */

export interface Matcher {
  /** Takes our name of a tool and, where there is a call, its arguments: another protocol's name may depend on them. */
  matches(toolName: string, args?: unknown): boolean;
  /** A clause for a warning when the pattern is no regular expression and stands for itself; else null. */
  readonly problem: string | null;
}

export const EVERYTHING: Matcher = { matches: () => true, problem: null };
const TIMEOUT_MS = 100;
/** Names are an open set (a model may invent them): this many results of usual names are remembered. */
const MOST_REMEMBERED = 500;
const LONGEST_REMEMBERED = 200;

/** Makes a matcher of a pattern; null and blank match every tool. Never throws. */
export function createMatcher(pattern: string | null): Matcher {
  const trimmed = pattern?.trim() ?? "";
  if (trimmed === "") return EVERYTHING;
  const compiled = compile(trimmed);
  if (typeof compiled === "string") return { matches: (name) => name === trimmed, problem: compiled };
  const test = isPlain(trimmed) ? (name: string) => compiled.test(name) : boundedTest(compiled);
  const matches = remembered(test);
  return { matches: (name) => matches(name), problem: null };
}

/** Tests names with an expression of whatever cost: bounded in time, the results of usual names remembered. */
export function createBoundedTest(expression: RegExp): (name: string) => boolean {
  return remembered(boundedTest(expression));
}

function remembered(test: (name: string) => boolean): (name: string) => boolean {
  const results = new Map<string, boolean>();
  return (name) => {
    const known = results.get(name);
    if (known !== undefined) return known;
    const result = test(name);
    if (name.length <= LONGEST_REMEMBERED) {
      if (results.size >= MOST_REMEMBERED) results.clear();
      results.set(name, result);
    }
    return result;
  };
}

/** The expression, anchored at both ends, or the reason why there is none. */
function compile(pattern: string): RegExp | string {
  const flags = /^\(\?([aimsuLx]+)\)/.exec(pattern);
  const letters = flags?.[1] ?? "";
  const body = translate(flags === null ? pattern : pattern.slice(flags[0].length));
  if (/[xL]/.test(letters)) return `the flag in ${flags?.[0]} is not supported`;
  const wanted = [...new Set(letters)].filter((letter) => "ims".includes(letter)).join("");
  // The expression alone first: "a)(b" must not become valid by the parentheses around it.
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

/** Python's notations in JavaScript's: `(?P<n>…)`, `(?P=n)`, `(?#…)`, `\A` and `\Z`. */
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

/** In Python a `]` right after the opening of a class is itself. */
function translateClass(found: string): string {
  return found.replace(/^(\[\^?)\]/, "$1\\]");
}

/** True for patterns that cannot take long: names, alternatives and at most one quantifier, without groups. */
function isPlain(pattern: string): boolean {
  const body = pattern.replace(/^\(\?i\)/, "");
  return /^[\w\s.:|^$*+?/-]*$/.test(body) && (body.match(/[*+?]/g)?.length ?? 0) <= 1;
}

/** Tests in a context of its own, because only there the engine can be stopped in the midst of a match. */
function boundedTest(expression: RegExp): (name: string) => boolean {
  let run: ((name: string) => boolean) | undefined;
  return (name) => {
    run ??= prepare(expression);
    try {
      return run(name);
    } catch {
      // The time was up (or the engine's stack): a guard runs rather than not.
      return true;
    }
  };
}

function prepare(expression: RegExp): (name: string) => boolean {
  // Loaded here, because few configurations need it, and synchronously, because matching is.
  const { createContext, Script } = process.getBuiltinModule("node:vm");
  const globals = { expression, name: "" };
  const context = createContext(globals);
  const script = new Script("expression.test(name)");
  return (name) => {
    globals.name = name;
    return script.runInContext(context, { timeout: TIMEOUT_MS }) === true;
  };
}
