/** The same command line with the package commander, which explains mistakes and writes the help. */
import { Command as CommanderCommand, Option as CommanderOption } from "commander";
import { didYouMean } from "#core/suggest";
import { commandPath } from "../command-path.ts";
import type { CliContext } from "../context.ts";
import { takesNextWord } from "../global-options.ts";
import type { Command, Given } from "./command.ts";
import type { Option } from "./option.ts";

/** Runs a command that {@link Command.take} has given its words. */
type Perform = (command: Command) => Promise<void>;

/** Runs the command that the words name, or throws CommanderError after it has written help or what is wrong. */
export async function runWithCommander(
  program: Command,
  words: readonly string[],
  context: CliContext,
  perform: Perform,
): Promise<void> {
  await buildProgram(program, context, perform).parseAsync(words, { from: "user" });
}

/**
 * Writes the help that the words ask for. An unknown command is an error even then: commander would print the help of its
 * parent command. Throws CommanderError for both.
 */
export async function writeHelp(program: Command, words: readonly string[], context: CliContext): Promise<void> {
  const built = buildProgram(program, context, () => Promise.resolve());
  refuseUnknownCommand(built, words);
  await built.parseAsync(words, { from: "user" });
}

/** Writes the help of the program for words that name no command. They are parsed, so that a mistyped option is found. */
export async function writeProgramHelp(
  program: Command,
  words: readonly string[],
  context: CliContext,
  allow: (program: Command) => void,
): Promise<void> {
  const built = buildProgram(program, context, () => Promise.resolve());
  built.action(() => {
    program.take({ args: [], values: built.opts<Given["values"]>() });
    allow(program);
    built.outputHelp();
  });
  await built.parseAsync(words, { from: "user" });
}

/** Commander's program with the same commands. */
export function buildProgram(program: Command, context: CliContext, perform: Perform): CommanderCommand {
  const built = new CommanderCommand(program.name()).helpCommand(false);
  copy(program, built, perform);
  share(built, context);
  return built;
}

function copy(command: Command, target: CommanderCommand, perform: Perform): void {
  const { description, summary, usage, after } = command.texts;
  if (description !== undefined) target.description(description);
  if (summary !== undefined) target.summary(summary);
  if (usage !== undefined) target.usage(usage);
  if (after !== undefined) target.addHelpText("after", after);
  for (const { flags, description: text } of command.registeredArguments) target.argument(flags, text);
  for (const option of command.options) target.addOption(copyOption(option));
  if (command.allowsExcess) target.allowExcessArguments();
  if (command.handler !== undefined) {
    target.action(async () => {
      for (let [ours, theirs]: [Command | null, CommanderCommand | null] = [command, target]; ours !== null;) {
        ours.take({ args: theirs?.args ?? [], values: theirs?.opts<Given["values"]>() ?? {} });
        [ours, theirs] = [ours.parent, theirs?.parent ?? null];
      }
      await perform(command);
    });
  }
  for (const inner of command.commands) copy(inner, target.command(inner.name()), perform);
}

function copyOption(option: Option): CommanderOption {
  const target = new CommanderOption(option.flags, option.description);
  if (option.argChoices !== undefined) target.choices(option.argChoices);
  if (option.parseArg !== undefined) target.argParser(option.parseArg as (text: string, before: unknown) => unknown);
  target.default(option.defaultValue, option.defaultText).conflicts([...option.conflictsWith]);
  return target.hideHelp(option.hidden).makeOptionMandatory(option.mandatory);
}

/** Gives every command errors that throw, and no output but the context's. */
function share(command: CommanderCommand, context: CliContext): void {
  command
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError(`"${`hermes ${commandPath(command)}`.trimEnd()} --help" lists the commands and options.`)
    .configureHelp({ showGlobalOptions: command.parent !== null, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => context.out(text),
      writeErr: (text) => context.note(text),
      outputError: (text, write) => write(withSuggestion(text, command).replace(/^error: /, "hermes: ")),
    })
    .exitOverride();
  for (const inner of command.commands) share(inner, context);
}

/**
 * Commander suggests a command's own options only: adds the closest global one. A word that is near no command may be a
 * message.
 */
function withSuggestion(text: string, command: CommanderCommand): string {
  const message = /^error: unknown command '(.+)'\n$/.exec(text)?.[1];
  if (message !== undefined && command.parent === null) {
    return `error: unknown command '${message}'. To send it to the agent: hermes chat -q '${message}'\n`;
  }
  const unknown = /^error: unknown option '(--[^'=]+)[^']*'(?=\n(?!\(Did you mean))/.exec(text);
  if (unknown === null) return text;
  const flags = command.options.flatMap(({ long }) => long ?? []);
  return `${unknown[0]}.${didYouMean(unknown[1]!, flags)}${text.slice(unknown[0].length)}`;
}

function refuseUnknownCommand(program: CommanderCommand, words: readonly string[]): void {
  let command = program;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (takesNextWord(word)) index++;
    if (word.startsWith("-")) continue;
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) {
      if (word === "help" || command.commands.length === 0) return;
      const names = command.commands.map((each) => each.name());
      return command.error(`error: unknown command '${word}'.${didYouMean(word, names)}`);
    }
    command = inner;
  }
}
