import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { keepStderr } from "#core/stderr";
import { didYouMean } from "#core/suggest";
import type { CliContext } from "../context.ts";
import type { SetupOptions } from "./gateway/setup.ts";

const EXAMPLES = `
Examples:
  hermes gateway                        run every platform that config.yaml enables
  hermes gateway setup                  set up a platform
  hermes --accept-hooks gateway         run, and approve the configured shell hooks
  curl -s http://127.0.0.1:8642/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "hermes", "messages": [{"role": "user", "content": "hello"}]}'

Enable platforms with hermes gateway setup, or in config.yaml under gateway.platforms; see docs/gateway.md.`;

const SETUP_HELP = `
On a terminal and without --set and --json, it says where to get what it needs and asks for it.

VALUE is as in config.yaml: '\${NAME}' is an environment variable, commas separate the items of a list.
--set KEY=- reads the value from standard input, --set KEY= removes an optional one.

Examples:
  hermes gateway setup                          choose a platform and answer the questions
  hermes gateway setup telegram --set 'token=\${TELEGRAM_BOT_TOKEN}' --set allowed_users=12345678
  hermes gateway setup telegram --set token=- --json < token.txt`;

/** `hermes gateway` (CONTRACT §8). */
export function addGatewayCommand(program: Command, context: CliContext): void {
  const gateway = program
    .command("gateway")
    .description("Run the agent on messaging platforms, with gateway hooks. Runs until SIGTERM or Ctrl+C.")
    .allowExcessArguments()
    .addHelpText("after", EXAMPLES)
    .action(async (_options: object, command: Command) => {
      refuseWords(command);
      keepStderr();
      const { runGateway } = await import("#cli/gateway/run");
      await runGateway(command, context);
    });
  gateway
    .command("setup")
    .description("Set up a messaging platform: asks for its settings, tests them, and writes them to config.yaml.")
    .argument("[platform]", "the platform's name, such as telegram")
    .option("--set <key=value>", "use this setting, without questions; may be repeated", addWord)
    .option("--no-test", "save without asking the platform's server")
    .option("--json", "print JSON; no questions")
    .addHelpText("after", SETUP_HELP)
    .action(async (platform: string | undefined, options: SetupOptions, command: Command) => {
      const { setUpPlatform } = await import("./gateway/setup.ts");
      await setUpPlatform(platform, options, command, context);
    });
}

function addWord(word: string, before: readonly string[] = []): readonly string[] {
  return [...before, word];
}

/** The command takes words only so that a mistyped command below it is named as one. */
function refuseWords({ args, commands }: Command): void {
  const [word] = args;
  if (word === undefined) return;
  const hint = didYouMean(
    word,
    commands.map((command) => command.name()),
  );
  throw new HermesError("HERMES_USAGE", { problem: `There is no command "hermes gateway ${word}".${hint}` });
}
