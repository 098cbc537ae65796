/** Finds which words of a command are programs, and which one is the script (CONTRACT §5). */
import { statSync } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";

/** The base of relative paths, and where bare names are looked up. */
export interface LookupContext {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
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

interface Family {
  readonly name: RegExp;
  /** Options followed by code or a module instead of a file. */
  readonly inline: RegExp;
  /** Options whose value is the next word, which is not the script. */
  readonly valued: RegExp;
}

const FAMILIES: readonly Family[] = [
  {
    name: /^(?:(?:ba|da|z|k|mk|fi|a|c|tc)?sh|busybox)$/,
    inline: /^-[a-zA-Z]*c[a-zA-Z]*$/,
    valued: /^(?:[-+][a-zA-Z]*[oO]|--rcfile|--init-file)$/,
  },
  {
    name: /^(?:python|pypy)[\d.]*$/,
    inline: /^-[a-zA-VYZ]*[cm]/,
    valued: /^-[a-zA-VYZ]*[WX]$|^--check-hash-based-pycs$/,
  },
  {
    name: /^(?:node|deno|bun|tsx)$/,
    inline: /^-(?:e|p|pe)$|^--(?:eval|print)(?:=|$)/,
    valued: /^-[rC]$|^--(?:require|import|loader|experimental-loader|conditions|env-file|config|input-type)$/,
  },
  { name: /^perl[\d.]*$/, inline: /^-[a-zA-Z0-9]*[eE]/, valued: /^-I$/ },
  { name: /^ruby[\d.]*$/, inline: /^-[a-zA-Z]*e/, valued: /^-[CIr]$/ },
  { name: /^php[\d.]*$/, inline: /^-r$/, valued: /^-[cd]$/ },
  { name: /^lua[\d.]*$/, inline: /^-e/, valued: /^-l$/ },
];
const LAUNCHER = /^(?:env|nice|nohup|stdbuf|timeout|exec)$/;

/**
 * Finds the script of a command: its first word (looked up in PATH when it is a bare name), or, after an
 * interpreter, the first word after its options that is a file. `inline` is code in the command itself (`-c`),
 * `none` an interpreter without a script. Never throws.
 */
export function readWords(argv: readonly string[], place: LookupContext, from = 0): CommandWords {
  const first = argv[from];
  if (first === undefined) return { programs: [], script: "none" };
  const name = basename(first);
  const family = FAMILIES.find((each) => each.name.test(name));
  if (LAUNCHER.test(name)) {
    const next = argv.findIndex((word, index) => index > from && isProgramOfLauncher(word));
    if (next !== -1) {
      const { programs, script } = readWords(argv, place, next);
      return { programs: [from, ...programs], script };
    }
  } else if (family !== undefined && from + 1 < argv.length) {
    return { programs: [from], script: behindInterpreter(argv, from + 1, family, place) };
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
  const folders = (env["PATH"] ?? "/usr/bin:/bin").split(delimiter);
  return folders.map((folder) => join(resolve(cwd, folder), word)).find(isFile) ?? null;
}

/** Launchers have options, settings (`A=1`) and numbers (`5`, `2m`) before the program. */
export function isProgramOfLauncher(word: string): boolean {
  return !word.startsWith("-") && !/^\w+=/.test(word) && !/^[\d.]+[smhd]?$/.test(word);
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

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // Not reachable (no permission, a loop of links, a NUL), so the same as missing.
    return false;
  }
}
