import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { PROVIDERS, type Provider } from "#agent/models/select";
import { HermesError } from "#core/errors";
import { loadConfig } from "#core/home/config";
import type { CliContext } from "../context.ts";
import { refuseOptInInsideAgent } from "../inside-agent.ts";

interface ModelOptions {
  readonly provider?: Provider;
  readonly model?: string;
  readonly baseUrl?: string;
  readonly apiKeyEnv?: string;
  readonly test: boolean;
  readonly json?: true;
}

const HELP = `
On a terminal and without options, it asks for everything. In a pipe it prints the model.

Examples:
  hermes model --provider anthropic --model claude-sonnet-4-6 --api-key-env MY_KEY
  hermes model --provider openai-compatible --base-url http://127.0.0.1:11434/v1 --model qwen3
  hermes model --model gpt-5.4-mini            another model of the same provider
  hermes model --json                          print the model as JSON`;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `hermes model` */
export function addModelCommand(program: Command, context: CliContext): void {
  program
    .command("model")
    .description("Show the model or choose another: writes the model section of config.yaml and tests it.")
    .addOption(new Option("--provider <name>", "use this provider").choices(PROVIDERS))
    .option("--model <id>", "the model's id; by default the provider's")
    .option("--base-url <url>", "the server, up to and including /v1")
    .option("--api-key-env <name>", "read the key from this environment variable")
    .option("--no-test", "save without a request to the model")
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action((options: ModelOptions, command: Command) => model(options, command, context));
}

async function model(options: ModelOptions, command: Command, context: CliContext): Promise<void> {
  const { provider, model: id, baseUrl, apiKeyEnv } = options;
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const isGiven = [provider, id, baseUrl, apiKeyEnv].some((option) => option !== undefined);
  const asks = !isGiven && options.json !== true && process.stdin.isTTY && process.stderr.isTTY;
  if (!isGiven && !asks) {
    const { showModel } = await import("./model/show.ts");
    return showModel(config, options.json === true, context);
  }
  refuseOptInInsideAgent("hermes model", context.env);
  if (apiKeyEnv !== undefined && !VARIABLE.test(apiKeyEnv)) {
    const problem = `--api-key-env takes the name of an environment variable, not "${apiKeyEnv}".`;
    throw new HermesError("HERMES_USAGE", { problem });
  }
  const { changeModel } = await import("./model/change.ts");
  const target = { file: config.file ?? paths.config, tests: options.test, json: options.json === true };
  if (!asks) {
    const apiKey = apiKeyEnv === undefined ? undefined : `\${${apiKeyEnv}}`;
    return changeModel({ provider, id, baseUrl, apiKey }, target, context);
  }
  const { createPrompts } = await import("../prompts.ts");
  const { askForModel } = await import("./model/ask.ts");
  const prompts = createPrompts();
  await changeModel(await askForModel(config, prompts, context), { ...target, confirm: prompts.confirm }, context);
}
