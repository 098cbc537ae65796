/** The command line: finds the command, loads only that one, turns errors into sentences and exit codes. */
import { Command, CommanderError, Option } from "commander";
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import { homePaths } from "#core/home/paths";
import { flushStdout } from "#core/stdout";
import { createContext, type CliContext } from "./context.ts";

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<(program: Command, context: CliContext) => void>;
}

/** Every command; only the one that was asked for is loaded. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  chat: {
    summary: "talk with the agent, on the terminal or in one shot",
    load: async () => (await import("./commands/chat.ts")).addChatCommand,
  },
  hooks: {
    summary: "list, test, examine, allow, revoke and reload hooks, see what ran",
    load: async () => (await import("./commands/hooks.ts")).addHooksCommand,
  },
  plugins: {
    summary: "list, enable, disable and create plugins",
    load: async () => (await import("./commands/plugins.ts")).addPluginsCommand,
  },
  gateway: {
    summary: "run the agent behind messaging platforms",
    load: async () => (await import("./commands/gateway.ts")).addGatewayCommand,
  },
  dashboard: {
    summary: "watch the events of every hermes of this home in a browser",
    load: async () => (await import("./commands/dashboard.ts")).addDashboardCommand,
  },
  sessions: {
    summary: "list, show, export and delete past conversations",
    load: async () => (await import("./commands/sessions.ts")).addSessionsCommand,
  },
  pairing: {
    summary: "let people in who write to the gateway",
    load: async () => (await import("./commands/pairing.ts")).addPairingCommand,
  },
  config: {
    summary: "check the configuration, print its schema",
    load: async () => (await import("./commands/config.ts")).addConfigCommand,
  },
  complete: {
    summary: "print the completion script of a shell",
    load: async () => (await import("./commands/complete.ts")).addCompleteCommand,
  },
};

const EXAMPLES = `
Examples:
  hermes --accept-hooks chat                  start a conversation, approve the configured shell hooks
  hermes chat -q 'run \`ls\`'                   one turn, then end
  hermes hooks list                           see which hooks are configured, and whether they may run`;

/** Options that take a value, so that the scan for the command's name can step over it. */
const VALUED: ReadonlySet<string> = new Set(["--home", "--log-level"]);

/** Runs the program with the arguments after its name, and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const context = createContext(process.env);
  // What a plugin never settles holds no timer or socket: without this the program would end there, as if all were well.
  setInterval(() => undefined, 2 ** 30);
  try {
    if (process.platform === "win32") throw new HermesError("HERMES_PLATFORM", { platform: "Windows" });
    await run(argv, context);
  } catch (error) {
    report(error, context);
  }
  await flushStdout().catch((error: unknown) => report(error, context));
  // Whatever still holds the loop open (a plugin's timer, an idle connection) must not keep the program alive.
  process.exit();
}

async function run(argv: readonly string[], context: CliContext): Promise<void> {
  const words = helpWords(argv);
  const start = scanStart(words);
  if (start.version) return context.out(await versionText(start.home));
  const program = await createProgram(start.command, context);
  if (start.command === undefined && !words.some((word) => word === "-h" || word === "--help")) {
    // Parsed all the same, so that a mistyped global option is found.
    await program.action(() => program.outputHelp()).parseAsync(words, { from: "user" });
    return;
  }
  await program.parseAsync(words, { from: "user" });
}

/** `help hooks list` says the same as `hooks list --help`. */
function helpWords(argv: readonly string[]): readonly string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
}

interface Start {
  readonly command: string | undefined;
  readonly version: boolean;
  readonly home: string | undefined;
}

function scanStart(words: readonly string[]): Start {
  let home: string | undefined;
  let version = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!word.startsWith("-")) return { command: word, version: false, home };
    if (word === "--home") home = words[index + 1];
    if (word.startsWith("--home=")) home = word.slice("--home=".length);
    if (word === "--version" || word === "-V") version = true;
    if (VALUED.has(word)) index++;
  }
  return { command: undefined, version, home };
}

async function versionText(home: string | undefined): Promise<string> {
  const { programVersion } = await import("./version.ts");
  return `hermes-hooks ${programVersion()}\nnode ${process.version}\nhome ${homePaths(home).home}`;
}

/** The whole program with one command filled in (or every command, with `all`); the others are names. */
export async function createProgram(wanted: string | undefined, context: CliContext): Promise<Command> {
  const program = new Command("hermes")
    .description("An agent whose every step can be hooked: plugins, gateway hooks and shell hooks.")
    .addHelpText("after", EXAMPLES)
    .addOption(new Option("-V, --version", "print the versions of hermes and Node, and the home"))
    .helpCommand(false);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === wanted || wanted === "all") (await load())(program, context);
    else program.command(name).description(summary);
  }
  for (const command of program.commands) command.summary(COMMANDS[command.name()]?.summary ?? "");
  shareSettings(program, context);
  return program;
}

/** Gives every command the global options, errors that throw, and no output but the context's. */
function shareSettings(command: Command, context: CliContext): void {
  const hidden = command.parent !== null;
  for (const option of globalOptions()) command.addOption(hidden ? option.hideHelp() : option);
  command
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError(`"${pathOf(command)} --help" shows what there is.`)
    .configureHelp({ showGlobalOptions: hidden, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => context.out(text),
      writeErr: (text) => context.note(text),
      outputError: (text, write) => write(text.replace(/^error: /, "hermes: ")),
    })
    .exitOverride();
  for (const inner of command.commands) shareSettings(inner, context);
}

/** `hermes hooks list` */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function globalOptions(): Option[] {
  return [
    new Option("--home <dir>", "where hermes keeps its files (default: $HERMES_HOME, else ~/.hermes)"),
    new Option("--accept-hooks", "approve every configured shell hook, and record that"),
    new Option("--safe-mode", "load no hook and no plugin of yours"),
    new Option("--log-level <level>", "debug, info, warn, error or silent (for logs/hermes.log)"),
  ];
}

/** Says what went wrong and sets the exit code. */
function report(error: unknown, context: CliContext): void {
  if (error instanceof CommanderError) {
    // Help and version are no failures; commander has written everything else.
    return context.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  }
  const shown = isHermesError(error)
    ? error
    : new HermesError("HERMES_INTERNAL", { problem: problemOf(error) }, { cause: error });
  context.note(`hermes: ${shown.message}`);
  if (shown.code === "HERMES_INTERNAL" && context.env["HERMES_DEBUG"]) context.note(String((error as Error).stack));
  context.exit(shown.exitCode);
}
