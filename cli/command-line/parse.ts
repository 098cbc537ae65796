/**
 * Reads command lines without a mistake in them. Anything else is left to commander, which knows how to explain it.
 * Where this parser answers, it answers as commander does: test/cli/command-line.test.ts compares the two.
 */
import type { Command, Given } from "./command.ts";
import type { Option } from "./option.ts";

/** Finds the command that the words name and gives it what they say; undefined for words that commander must read. */
export function parseCommandLine(program: Command, words: readonly string[]): Command | undefined {
  const found: [Command, Given][] = [];
  let command = program;
  let rest = words;
  while (command.commands.length > 0) {
    const read = readWords(command, rest, true);
    if (read === undefined) return undefined;
    const inner = command.commands.find((each) => each.name() === read.args[0]);
    // A command of its own that also has commands below it, such as `gateway`.
    if (inner === undefined && read.args.length === 0 && command.handler !== undefined) break;
    if (inner === undefined) return undefined;
    found.push([command, { args: [], values: read.values }]);
    [command, rest] = [inner, read.rest];
  }
  const read = readWords(command, rest, false);
  if (read === undefined || command.handler === undefined || !isComplete(command, read)) return undefined;
  found.push([command, read]);
  for (const [each, { args, values }] of found) each.take({ args, values });
  return command;
}

interface Read extends Given {
  readonly rest: readonly string[];
  /** The keys that the words set. */
  readonly set: ReadonlySet<string>;
}

/** Takes options and, up to the first or all of them, other words. */
function readWords(command: Command, words: readonly string[], onlyFirst: boolean): Read | undefined {
  const args: string[] = [];
  const values = defaultsOf(command);
  const set = new Set<string>();
  let at = 0;
  while (at < words.length) {
    if (onlyFirst && args.length > 0) break;
    const word = words[at++]!;
    if (word === "--" && !onlyFirst) {
      args.push(...words.slice(at));
      at = words.length;
    } else if (word.length < 2 || !word.startsWith("-")) {
      args.push(word);
    } else {
      const [flag, behind] = splitWord(word);
      const option = command.options.find(({ short, long }) => flag === long || flag === short);
      if (option === undefined) return undefined;
      let text = behind;
      if (behind !== undefined && !option.required && !option.optional) return undefined;
      if (text === undefined && (option.required || (option.optional && isValue(words[at])))) {
        // An option without its value.
        if (at === words.length) return undefined;
        text = words[at++];
      }
      const key = option.attributeName();
      const value = valueOf(option, text, values[key]);
      if (value === REFUSED) return undefined;
      values[key] = value;
      set.add(key);
    }
  }
  return { args, values, rest: words.slice(at), set };
}

function defaultsOf({ options }: Command): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const option of options) {
    if (option.defaultValue !== undefined) values[option.attributeName()] = option.defaultValue;
    else if (option.negate && !options.some(({ long }) => long === option.long.replace("--no-", "--"))) {
      values[option.attributeName()] = true;
    }
  }
  return values;
}

/** `--name=value` is two parts. Groups of short options and values right behind them are left to commander. */
function splitWord(word: string): [flag: string, behind: string | undefined] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function isValue(word: string | undefined): boolean {
  return word !== undefined && (word.length < 2 || !word.startsWith("-"));
}

const REFUSED = Symbol("refused");

/** `text` is undefined for an option without a value. */
function valueOf(option: Option, text: string | undefined, before: unknown): unknown {
  if (text === undefined) return !option.negate;
  if (option.argChoices?.includes(text) === false) return REFUSED;
  if (option.parseArg === undefined) return text;
  try {
    return option.parseArg(text, before as never);
  } catch {
    // Commander calls it again, and reports what it throws.
    return REFUSED;
  }
}

/** Nothing is missing, too much or contradictory. */
function isComplete(command: Command, { args, values, set }: Read): boolean {
  const { registeredArguments: wanted, options, allowsExcess } = command;
  if (args.length < wanted.filter(({ isRequired }) => isRequired).length) return false;
  if (args.length > wanted.length && !allowsExcess && !wanted.at(-1)?.isVariadic) return false;
  return options.every((option) => {
    if (option.mandatory && values[option.attributeName()] === undefined) return false;
    return !set.has(option.attributeName()) || !option.conflictsWith.some((key) => set.has(key));
  });
}
