import type { RootCommand } from "@bomb.sh/tab";
import type { Command } from "commander";
import { HermesError } from "#core/errors";
import { EVENT_NAMES } from "#core/events";
import { didYouMean } from "#core/suggest";

const SHELLS = ["bash", "zsh", "fish"] as const;

const HELP = `
Examples:
  source <(hermes complete bash)                          in this shell
  hermes complete zsh > "\${fpath[1]}/_hermes"             for all zsh sessions
  hermes complete fish > ~/.config/fish/completions/hermes.fish`;

/** Makes the program with all its commands. */
type EveryCommand = () => Promise<Command>;

/** `hermes complete bash|zsh|fish` prints the script; the script asks back with `hermes complete -- WORDS`. */
export function addCompleteCommand(program: Command, everyCommand: EveryCommand): void {
  program
    .command("complete")
    .description("Print a shell completion script.")
    .argument("<shell>", SHELLS.join(", "))
    .argument("[words...]", "used by the completion script, after --")
    .addHelpText("after", HELP)
    .action(async (shell: string, words: readonly string[]) => {
      if (asksBack(process.argv)) return complete([shell, ...words], everyCommand);
      if (!SHELLS.some((known) => known === shell)) {
        throw new HermesError("HERMES_USAGE", {
          problem: `There is no completion for the shell "${shell}", only for ${SHELLS.join(", ")}.${didYouMean(shell, SHELLS)}`,
        });
      }
      const { script } = await import("@bomb.sh/tab");
      script(shell, "hermes", "hermes");
    });
}

function asksBack(argv: readonly string[]): boolean {
  return argv[argv.indexOf("complete") + 1] === "--";
}

/** Prints the completions of the last word. */
async function complete(words: readonly string[], everyCommand: EveryCommand): Promise<void> {
  const { RootCommand: Root } = await import("@bomb.sh/tab");
  const program = await everyCommand();
  const root = new Root();
  describe(root, program, "");
  root.parse([...words]);
}

/** Copies commander's tree of commands into the completion's. */
function describe(root: RootCommand, command: Command, path: string): void {
  const place = path === "" ? root : root.command(path, command.description());
  for (const { long, short, description, required, argChoices } of command.options) {
    const name = long?.slice(2);
    if (name === undefined) continue;
    const alias = short?.slice(1);
    if (required) place.option(name, description, (offer) => offerAll(offer, argChoices ?? []), alias);
    else if (alias === undefined) place.option(name, description);
    else place.option(name, description, alias);
  }
  for (const argument of command.registeredArguments) {
    const choices = argument.name() === "event" ? EVENT_NAMES : (argument.argChoices ?? []);
    place.argument(argument.name(), (offer) => offerAll(offer, choices), argument.variadic);
  }
  for (const inner of command.commands) describe(root, inner, path === "" ? inner.name() : `${path} ${inner.name()}`);
}

function offerAll(offer: (value: string, description: string) => void, values: readonly string[]): void {
  for (const value of values) offer(value, "");
}
