/** The `chat` that people leave out: `hermes` on a terminal chats, and `hermes 'a question'` asks once. */
import { isGlobalOption, takesNextWord } from "./global-options.ts";

/** The options of `chat`, which may stand without it. A test compares them with the command's. */
export const CHAT_OPTIONS: ReadonlySet<string> = new Set([
  "-q",
  "--query",
  "--query-file",
  "-r",
  "--resume",
  "-c",
  "--continue",
  "-Q",
  "--quiet",
  "--instructions",
  "--no-instructions",
  "--max-turns",
  "--no-render",
  "--output-format",
]);

/**
 * Adds the command `chat` to words that name none: nothing but global options on a terminal, an option of `chat`, or a
 * question. A word is a question if it has several words or ends in a question mark; any other could be a mistyped
 * command.
 */
export function withImpliedChat(words: readonly string[], onTerminal: () => boolean): readonly string[] {
  const at = findCommandWord(words);
  const word = words[at];
  if (word === undefined) return onTerminal() ? [...words, "chat"] : words;
  const rest = words.slice(at);
  if (word.startsWith("-")) return CHAT_OPTIONS.has(optionOf(word)) ? [...words.slice(0, at), "chat", ...rest] : words;
  return /\s|\?$/.test(word.trim()) ? [...words.slice(0, at), "chat", "-q", ...rest] : words;
}

/** The index of the first word that is neither a global option nor its value. */
export function findCommandWord(words: readonly string[]): number {
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!isGlobalOption(word)) return index;
    if (takesNextWord(word)) index++;
  }
  return words.length;
}

/** `--query=x` is the option `--query`, `-qx` is `-q`. */
function optionOf(word: string): string {
  return word.startsWith("--") ? word.split("=", 1)[0]! : word.slice(0, 2);
}
