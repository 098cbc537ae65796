/** Splits a command line into words without a shell, exactly like Python's `shlex.split` (CONTRACT §6). */
import { expandHome } from "#core/home/paths";
import { quoteWord } from "#core/shell-quote";

export type Words =
  | { readonly argv: readonly [string, ...string[]]; readonly problem: null }
  | { readonly argv: null; readonly problem: string };

/**
 * Splits a command into POSIX shell words; `~` alone or before `/` at the start of a word is `home`. Returns the
 * words, or a clause that says why the command is invalid. Never throws.
 */
export function parseCommand(command: string, home: string): Words {
  if (command.includes("\0")) return { argv: null, problem: "the command contains a NUL byte" };
  const words = splitWords(command);
  if (typeof words === "string") return { argv: null, problem: words };
  const [first, ...rest] = words.map((word) => expandHome(word, home));
  return first === undefined
    ? { argv: null, problem: "the command is empty" }
    : { argv: [first, ...rest], problem: null };
}

/** A command with further words, quoted so that {@link splitWords} gives them back. */
export function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args.map(quoteWord)].join(" ");
}

const SPACE = " \t\r\n";

/**
 * The words of `shlex.split(text)` (comments off, POSIX rules), or the reason why it would raise. A backslash
 * escapes any character outside quotes, and inside double quotes only `"` and itself: a backslash before
 * another character stays.
 */
export function splitWords(text: string): string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (quote === "'") {
      if (character === quote) quote = undefined;
      else word += character;
    } else if (character === "\\") {
      const next = characters[++at];
      if (next === undefined) return "it ends with a backslash that escapes nothing";
      word = (word ?? "") + (quote !== undefined && next !== quote && next !== "\\" ? `\\${next}` : next);
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (SPACE.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== undefined) return `unbalanced quote (${quote})`;
  if (word !== undefined) words.push(word);
  return words;
}
