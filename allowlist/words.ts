/** Finds which words of a command are programs, and which one is the script (CONTRACT §5). */
import { statSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { familyOf, launcherOf, programBehind, type Family } from "./interpreters.ts";

/** The base of relative paths, and where bare names are looked up. */
export interface LookupContext {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** `pin_ignore` of the entry: files and folders of data, which are not pinned. */
  readonly ignored?: readonly string[] | undefined;
}

export interface CommandWords {
  /** Indices of the programs that run the script: launchers (`env`, `timeout`), then an interpreter. */
  readonly programs: readonly number[];
  readonly script: ScriptWord | "inline" | "none";
}

export interface ScriptWord {
  readonly index: number;
  /** Absolute, even if the file does not exist; null for a bare name that is not found in PATH. */
  readonly path: string | null;
  /** True when the script itself is executed, false when an interpreter reads it. */
  readonly executed: boolean;
}

/**
 * Finds the script of a command: its first word (looked up in PATH when it is a bare name), or, after an
 * interpreter, the first word after its options that is a file. A program of PATH that is not known and has a file
 * among its words counts as an interpreter. `inline` is code in the command itself (`-c`), `none` an interpreter without
 * a script. Never throws.
 */
export function readWords(argv: readonly string[], place: LookupContext, from = 0): CommandWords {
  const first = argv[from];
  if (first === undefined) return { programs: [], script: "none" };
  const name = basename(first);
  const family = familyOf(name);
  const launcher = launcherOf(name);
  if (launcher !== undefined) {
    const next = programBehind(argv, from, launcher);
    if (next === "code") return { programs: [from], script: "inline" };
    if (next !== null) {
      const { programs, script } = readWords(argv, place, next);
      return { programs: [from, ...programs], script };
    }
  } else if (family !== undefined && from + 1 < argv.length) {
    return { programs: [from], script: behindInterpreter(argv, from + 1, family, place) };
  } else if (isOfPath(first, place)) {
    const script = behindUnknown(argv, from + 1, place);
    if (script !== null) return { programs: [from], script };
  }
  return { programs: [], script: { index: from, path: locate(first, place), executed: true } };
}

/** The path of a command's script, or null when it has none or a bare name is not found. */
export function scriptOf(argv: readonly string[], place: LookupContext): string | null {
  const { script } = readWords(argv, place);
  return typeof script === "string" ? null : script.path;
}

/** The absolute path of a program: the given path, or the first file of that name in PATH, or null. */
export function locate(word: string, { cwd, env }: LookupContext): string | null {
  if (word.includes("/")) return resolve(cwd, word);
  return (
    foldersOf(env)
      .map((folder) => join(resolve(cwd, folder), word))
      .find(isFile) ?? null
  );
}

/** True for a program that is run by its name, or from a folder of PATH: it is not the user's own script. */
export function isOfPath(word: string, { cwd, env }: LookupContext): boolean {
  if (!word.includes("/")) return true;
  return foldersOf(env).some((folder) => resolve(cwd, folder) === dirname(resolve(cwd, word)));
}

function foldersOf(env: NodeJS.ProcessEnv): readonly string[] {
  return (env["PATH"] ?? "/usr/bin:/bin").split(delimiter);
}

/**
 * The script of a program that is not known: what an interpreter among its words runs, else a file among its words,
 * rather one that can be executed than an empty one (a lock).
 */
function behindUnknown(argv: readonly string[], from: number, place: LookupContext): ScriptWord | "inline" | null {
  const interpreter = argv.findIndex(
    (word, index) => index >= from && index + 1 < argv.length && familyOf(basename(word)) !== undefined,
  );
  if (interpreter !== -1) {
    const { script } = readWords(argv, place, interpreter);
    if (script === "inline" || (script !== "none" && script.path !== null && isFile(script.path))) return script;
  }
  const files = argv.flatMap((word, index) => {
    const path = resolve(place.cwd, word);
    const isData = index < from || word.startsWith("-") || isIgnored(path, place);
    return isData || !isFile(path) ? [] : [{ index, path, executed: false, weight: weightOf(path) }];
  });
  const best = Math.max(...files.map(({ weight }) => weight));
  const found = files.find(({ weight }) => weight === best && weight > 0);
  return found === undefined ? null : { index: found.index, path: found.path, executed: false };
}

/** 2 for what can be executed, 1 for other files, 0 for an empty one. */
function weightOf(path: string): number {
  try {
    const { size, mode } = statSync(path);
    return size === 0 ? 0 : (mode & 0o111) === 0 ? 1 : 2;
  } catch {
    // Deleted meanwhile.
    return 0;
  }
}

/** True for a path of `pin_ignore`, or below one. */
export function isIgnored(path: string, { cwd, ignored = [] }: LookupContext): boolean {
  return ignored.map((one) => resolve(cwd, one)).some((one) => path === one || path.startsWith(`${one}/`));
}

function behindInterpreter(
  argv: readonly string[],
  from: number,
  { inline, valued }: Family,
  { cwd }: LookupContext,
): CommandWords["script"] {
  const candidates: number[] = [];
  // After a word that may be the script, options belong to the script; only busybox has the shell's name there.
  const before = basename(argv[from - 1] ?? "") === "busybox" ? 1 : 0;
  for (let index = from; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (inline.test(word) && candidates.length <= before) return "inline";
    if (valued.test(word)) index++;
    else if (!word.startsWith("-")) {
      if (isFile(resolve(cwd, word))) return { index, path: resolve(cwd, word), executed: false };
      candidates.push(index);
    }
  }
  // None exists (any more): the first word that looks like a path is the missing one.
  const missing = candidates.find((index) => /[/.]/.test(argv[index] ?? ""));
  return missing === undefined ? "none" : { index: missing, path: resolve(cwd, argv[missing] ?? ""), executed: false };
}

/** True for a regular file, or a link to one. */
export function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // Not reachable (no permission, a loop of links, a NUL), so the same as missing.
    return false;
  }
}
