import type { RootCommand } from "@bomb.sh/tab";
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { EVENT_NAMES } from "#core/events";
import { homePaths } from "#core/home/paths";
import { didYouMean } from "#core/suggest";
import { BASH_SCRIPT } from "../completion/bash.ts";
import { storedValues, type OfferedValue } from "../completion/stored-values.ts";
import type { CliContext } from "../context.ts";
import { takesNextWord } from "../global-options.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

const HELP = `
Examples:
  source <(hermes complete bash)                          in this shell
  hermes complete zsh > "\${fpath[1]}/_hermes"             for all zsh sessions
  hermes complete fish > ~/.config/fish/completions/hermes.fish`;

/** Makes the program with all its commands. */
type EveryCommand = () => Promise<Command>;

/** `hermes complete bash|zsh|fish` prints the script; the script asks back with `hermes complete -- WORDS`. */
export function addCompleteCommand(
  program: Command,
  everyCommand: EveryCommand,
  { env, out }: Pick<CliContext, "env" | "out">,
): void {
  program
    .command("complete")
    .description("Print a shell completion script.")
    .argument("<shell>", SHELLS.join(", "))
    .argument("[words...]", "used by the completion script, after --")
    .addHelpText("after", HELP)
    .action(async (shell: string, words: readonly string[]) => {
      if (asksBack(process.argv)) return complete([shell, ...words], everyCommand, env);
      if (!SHELLS.some((known) => known === shell)) {
        throw new HermesError("HERMES_USAGE", {
          problem: `There is no completion for the shell "${shell}", only for ${SHELLS.join(", ")}.${didYouMean(shell, SHELLS)}`,
        });
      }
      // The package's script for bash needs bash-completion, and evaluates what is typed.
      if (shell === "bash") return out(BASH_SCRIPT);
      const { script } = await import("@bomb.sh/tab");
      script(shell, "hermes", "hermes");
    });
}

function asksBack(argv: readonly string[]): boolean {
  return argv[argv.indexOf("complete") + 1] === "--";
}

/** Prints the completions of the last word. */
async function complete(words: readonly string[], everyCommand: EveryCommand, env: NodeJS.ProcessEnv): Promise<void> {
  const { RootCommand: Root } = await import("@bomb.sh/tab");
  const program = await everyCommand();
  const { path, home } = readWords(words.slice(0, -1), program);
  const stored = await storedValues(path, { paths: homePaths(home, env), env });
  const root = new Root();
  describe(root, program, "", stored);
  root.parse([...words]);
}

/** The command that the words name, as far as they go, and the value of `--home`. */
function readWords(words: readonly string[], program: Command): { path: string; home: string | undefined } {
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
  return { path: names.join(" "), home };
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
