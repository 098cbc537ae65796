/**
 * Resolves what a pinned command runs. Its interpreter becomes an absolute path, looked up once, so that a program of
 * the same name that appears earlier in PATH later is not used. For the same reason, a script's `#!` line is
 * interpreted here and not by the system.
 */
import { accessSync, constants, realpathSync } from "node:fs";
import { basename } from "node:path";
import { visible } from "./visible.ts";
import { isProgramOfLauncher } from "./interpreters.ts";
import { locate, type CommandWords, type LookupContext } from "./words.ts";

export interface Resolved {
  /** The words to run; the script at `copyAt` must be replaced with its copy. */
  readonly argv: readonly [string, ...string[]];
  readonly copyAt: number | null;
  /** The program's name as it was found; null when the script itself is executed. */
  readonly argv0: string | null;
  /** Absolute paths of the programs that run the script, in order, with links unresolved. */
  readonly programs: readonly string[];
}

export interface ResolveOptions {
  readonly argv: readonly string[];
  readonly words: CommandWords;
  /** The script's bytes; null without a script. */
  readonly content: Buffer | null;
  /** The programs found at the approval; looked up now when absent. */
  readonly recorded?: readonly string[] | undefined;
  readonly place: LookupContext;
}

/** Resolves the programs of a command. Returns a clause when one is missing or the command cannot be pinned. */
export function resolvePrograms({ argv, words, content, recorded, place }: ResolveOptions): Resolved | string {
  const line = [...argv];
  const { script } = words;
  const places = [...words.programs];
  let copyAt = typeof script === "string" ? null : script.index;
  if (typeof script !== "string" && script.executed && content !== null) {
    const before = readShebang(content);
    if (typeof before === "string") return before;
    line.splice(script.index, 0, ...before.words);
    places.push(...before.programs.map((index) => script.index + index));
    copyAt = script.index + before.words.length;
  }
  const programs: string[] = [];
  for (const [order, index] of places.entries()) {
    const found = findProgram(line[index] ?? "", recorded?.[order], place);
    if (found === null) return `its interpreter is missing: ${visible(line[index] ?? "")}`;
    line[index] = found;
    programs.push(found);
  }
  const [first, ...rest] = line;
  if (first === undefined) return "it is empty";
  if (copyAt === 0) return { argv: [first, ...rest], copyAt, argv0: null, programs };
  try {
    return { argv: [realpathSync(first), ...rest], copyAt, argv0: first, programs };
  } catch {
    return `its interpreter is missing: ${visible(first)}`;
  }
}

/** The words that the script's `#!` line puts before it, and which of them are programs. */
function readShebang(content: Buffer): { words: readonly string[]; programs: readonly number[] } | string {
  if (content[0] !== 0x23 || content[1] !== 0x21) return { words: [], programs: [] };
  const end = content.indexOf(10);
  const line = content.toString("utf8", 2, end === -1 ? content.length : end).replaceAll(/^[ \t]+|[ \t]+$/g, "");
  if (line.length > 4096 || line === "") return "its #! line cannot be pinned";
  const [, interpreter = "", argument = ""] = /^([^ \t]+)[ \t]*(.*)$/s.exec(line) ?? [];
  if (basename(interpreter) !== "env") {
    return { words: argument === "" ? [interpreter] : [interpreter, argument], programs: [0] };
  }
  const words = argument.startsWith("-S")
    ? argument
        .slice(2)
        .trim()
        .split(/[ \t]+/)
    : [argument];
  // What env itself must parse cannot be resolved once: quotes, variables, options with values.
  const program = words.findIndex(isProgramOfLauncher);
  const plain = words.slice(0, program).every((word) => /^\w+=/.test(word) || /^(?:-i|-)$/.test(word));
  if (program === -1 || !plain || /["'\\$]/.test(argument)) return "its #! line is too complex to pin";
  if (program === 0) return { words, programs: [0] };
  return { words: [interpreter, ...words], programs: [0, program + 1] };
}

function findProgram(word: string, recorded: string | undefined, place: LookupContext): string | null {
  const path = recorded !== undefined && basename(recorded) === basename(word) ? recorded : locate(word, place);
  if (path === null) return null;
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    // Deleted, or no longer executable.
    return null;
  }
}
