import type { RootCommand } from "@bomb.sh/tab";
import type { Command } from "#cli/command-line/command";
import type { Option } from "#cli/command-line/option";
import { HermesError } from "#core/errors";
import { EVENT_NAMES } from "#core/events";
import { homePaths } from "#core/home/paths";
import { didYouMean } from "#core/suggest";
import { BASH_SCRIPT } from "../completion/bash.ts";
import { FISH_SCRIPT } from "../completion/fish.ts";
import { storedValues, type OfferedValue } from "../completion/stored-values.ts";
import { ZSH_SCRIPT } from "../completion/zsh.ts";
import type { CliContext } from "../context.ts";
import { takesNextWord } from "../global-options.ts";

/** Our own: those of the package evaluate what is typed, or need further packages. */
const SCRIPTS = { bash: BASH_SCRIPT, zsh: ZSH_SCRIPT, fish: FISH_SCRIPT };
const SHELLS = Object.keys(SCRIPTS);

const HELP = `
Examples:
  source <(hermes complete bash)                          in this shell
  hermes complete zsh > "\${fpath[1]}/_hermes"             for all zsh sessions
  hermes complete fish > ~/.config/fish/completions/hermes.fish`;

/** The last line where the shell is to offer files. */
const OFFER_FILES = ":0";

/** Makes the program with all its commands. */
type EveryCommand = () => Promise<Command>;

/** `hermes complete bash|zsh|fish` prints the script; the script asks back with `hermes complete -- WORDS`. */
export function addCompleteCommand(
  program: Command,
  everyCommand: EveryCommand,
  context: Pick<CliContext, "env" | "out">,
): void {
  program
    .command("complete")
    .description("Print a shell completion script.")
    .argument("<shell>", SHELLS.join(", "))
    .argument("[words...]", "used by the completion script, after --")
    .addHelpText("after", HELP)
    .action(async (shell: string, words: readonly string[]) => {
      if (asksBack(process.argv)) return complete([shell, ...words], everyCommand, context);
      if (!SHELLS.includes(shell)) {
        throw new HermesError("HERMES_USAGE", {
          problem: `There is no completion for the shell "${shell}", only for ${SHELLS.join(", ")}.${didYouMean(shell, SHELLS)}`,
        });
      }
      context.out(SCRIPTS[shell as keyof typeof SCRIPTS]);
    });
}

function asksBack(argv: readonly string[]): boolean {
  return argv[argv.indexOf("complete") + 1] === "--";
}

/** Prints the completions of the last word. */
async function complete(
  words: readonly string[],
  everyCommand: EveryCommand,
  { env, out }: Pick<CliContext, "env" | "out">,
): Promise<void> {
  const { RootCommand: Root } = await import("@bomb.sh/tab");
  const program = await everyCommand();
  const { command, path, home } = readWords(words.slice(0, -1), program);
  if (namesFile(words, path, [...command.options, ...program.options])) return out(`${OFFER_FILES}\n`);
  const stored = await storedValues(path, { paths: homePaths(home, env), env });
  const root = new Root();
  describe(root, program, "", stored);
  root.parse([...words]);
}

/** True where the last word is the value of an option that takes a file, or may be a plugin's folder. */
function namesFile(words: readonly string[], path: string, options: readonly Option[]): boolean {
  const [before = "", last = ""] = ["", ...words].slice(-2);
  const files = options.filter(({ flags }) => /<(?:file|dir)>$/.test(flags)).map(({ long }) => long);
  return (
    files.some((long) => before === long || last.startsWith(`${long}=`)) ||
    (path === "plugins install" && !last.startsWith("-"))
  );
}

interface NamedCommand {
  readonly command: Command;
  readonly path: string;
  readonly home: string | undefined;
}

/** The command that the words name, as far as they go, and the value of `--home`. */
function readWords(words: readonly string[], program: Command): NamedCommand {
  let command = program;
  const names: string[] = [];
  let home: string | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word.startsWith("--home=")) home = word.slice("--home=".length);
    if (word === "--home") home = words[index + 1];
    if (takesNextWord(word)) index++;
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) continue;
    command = inner;
    names.push(word);
  }
  return { command, path: names.join(" "), home };
}

type Stored = ReadonlyMap<string, readonly OfferedValue[]>;

/** Copies the tree of commands into the completion's, with what the home has for it. */
function describe(root: RootCommand, command: Command, path: string, stored: Stored): void {
  const place = path === "" ? root : root.command(path, command.texts.description ?? "");
  for (const { long, short, description = "", required, optional, argChoices } of command.options) {
    const name = long.slice(2);
    const alias = short?.slice(1);
    const values = stored.get(`${path} ${long}`) ?? described(argChoices ?? []);
    if (required || optional) place.option(name, description, (offer) => offerAll(offer, values), alias);
    else if (alias === undefined) place.option(name, description);
    else place.option(name, description, alias);
  }
  for (const { name, isVariadic } of command.registeredArguments) {
    const values = stored.get(`${path} <${name}>`) ?? described(name === "event" ? EVENT_NAMES : []);
    place.argument(name, (offer) => offerAll(offer, values), isVariadic);
  }
  for (const inner of command.commands) {
    describe(root, inner, path === "" ? inner.name() : `${path} ${inner.name()}`, stored);
  }
}

function described(values: readonly string[]): readonly OfferedValue[] {
  return values.map((value) => ({ value, description: "" }));
}

function offerAll(offer: (value: string, description: string) => void, values: readonly OfferedValue[]): void {
  for (const { value, description } of values) offer(value, description);
}
