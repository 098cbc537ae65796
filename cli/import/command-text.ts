/** Makes a command of another program's settings independent of the folder that it is run in. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { inQuotes, quoteWord } from "#core/shell-quote";
import { splitWords } from "#sandbox/shell/command";

/** Characters that make a command line more than a program and its words. */
const SHELL_SYNTAX = /[|&;<>()$`*?[\]{}!#\n]|^\s*\w+=/;

/**
 * The command with these variables replaced by their values, quoted as the place in the command needs it. What is in
 * single quotes stays: no shell would replace it either.
 */
export function replaceVariables(command: string, values: ReadonlyMap<string, string>): string {
  if (values.size === 0) return command;
  const names = [...values.keys()].map((name) => name.replaceAll(/[^\w]/g, "\\$&")).join("|");
  const variable = new RegExp(`\\$(?:(${names})(?!\\w)|\\{(${names})(?::?[-+?=][^}]*)?\\})`, "y");
  let text = "";
  let quote = "";
  for (let at = 0; at < command.length; at++) {
    const character = command[at]!;
    variable.lastIndex = at;
    const found = character === "$" && quote !== "'" ? variable.exec(command) : null;
    if (found !== null) {
      const value = values.get(found[1] ?? found[2] ?? "") ?? "";
      text += quote === '"' ? value.replaceAll(/[\\"$`]/g, "\\$&") : quoteWord(value);
      at += found[0].length - 1;
    } else if (character === "\\" && quote !== "'") {
      text += character + (command[++at] ?? "");
    } else {
      if (character === quote) quote = "";
      else if (quote === "" && (character === "'" || character === '"')) quote = character;
      text += character;
    }
  }
  return text;
}

export interface Anchored {
  readonly command: string;
  /** True when the command has relative paths that are left as they are. */
  readonly relative: boolean;
}

/**
 * The command with its relative paths of files below `base` made absolute: the program's own, and those that exist.
 * A command that needs a shell is left as it is.
 */
export function anchorPaths(command: string, base: string): Anchored {
  const words = SHELL_SYNTAX.test(command) ? "" : splitWords(command);
  if (typeof words === "string") return { command, relative: /(?:^|[\s"'=(])\.{1,2}\//.test(command) };
  const isPath = (word: string) => word.includes("/") && !/^[/~-]/.test(word);
  const anchored = words.map((word, index) =>
    isPath(word) && (index === 0 || existsSync(resolve(base, word))) ? resolve(base, word) : word,
  );
  if (anchored.every((word, index) => word === words[index])) return { command, relative: false };
  return { command: anchored.map(quoteUnlessHome).join(" "), relative: false };
}

/** `~` at the start of a word is the home, unless it is in quotes. */
function quoteUnlessHome(word: string): string {
  return /^~(?:\/[\w@%+=:,./-]*)?$/.test(word) ? word : quoteWord(word);
}

/** A command that runs in a folder and with variables of its own. A value may name other variables. */
export function wrapCommand(
  command: string,
  { folder, variables }: { readonly folder: string | null; readonly variables: Readonly<Record<string, string>> },
): string {
  const sets = Object.entries(variables).map(([name, value]) => `${name}=${quoteValue(value)}`);
  const exported = sets.length === 0 ? "" : `export ${sets.join(" ")}; `;
  return `${folder === null ? "" : `cd ${quoteWord(folder)} || exit 1; `}${exported}${command}`;
}

function quoteValue(value: string): string {
  return value.includes("$") ? `"${value.replaceAll(/[\\"`]/g, "\\$&")}"` : inQuotes(value);
}
