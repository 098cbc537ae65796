import type { Command } from "#cli/command-line/command";
import { loadConfig, type Config } from "#core/home/config";
import { demandFor, SURFACES } from "#core/home/demands";
import type { HomePaths } from "#core/home/paths";
import { EXIT, isHermesError } from "#core/errors";
import { visible } from "#allowlist/visible";
import { mcpServerProblem } from "../host/mcp.ts";
import type { CliContext } from "../context.ts";

/** `hermes config check|schema` */
export function addConfigCommand(program: Command, context: CliContext): void {
  const config = program.command("config").description("Check the configuration or print its JSON Schema.");
  config
    .command("check")
    .description("check config.yaml; exits with 2 for an error, 1 for a warning")
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      await check(options.json === true, command, context);
    });
  config
    .command("schema")
    .description("print the JSON Schema of config.yaml")
    .option("--json", "print JSON, which is the only format")
    .addHelpText("after", SCHEMA_HELP)
    .action(async () => {
      const { configJsonSchema } = await import("#core/home/config-issues");
      context.json(configJsonSchema());
    });
}

const SCHEMA_HELP = `
For completion in your editor, save the schema and put the second line at the top of config.yaml:
  hermes config schema > ~/.hermes/config.schema.json
  # yaml-language-server: $schema=./config.schema.json`;

async function check(json: boolean, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const demands = await demandForAll(config, paths, context.env);
  const { parseHookEntries } = await import("#sandbox/shell/entries");
  const warnings = [...config.warnings, ...demands, ...parseHookEntries(config.values.hooks).warnings];
  const model = await modelOf(config, context.env);
  if (json) context.json({ file: config.file, warnings, unused_keys: config.unusedKeys, model });
  else if (config.file === null) context.out("There is no config.yaml; hermes uses the defaults.");
  else if (warnings.length === 0) context.out(`${config.file} is valid.`);
  if (!json) {
    const where = model.base_url === "" ? "" : `, requests go to ${model.base_url}`;
    context.out(`The model is ${model.id} (${model.provider})${where}.`);
    for (const warning of warnings) context.warn(warning);
    if (config.unusedKeys.length > 0) context.out(unusedKeys(config.unusedKeys));
  }
  if (warnings.length > 0) context.exit(EXIT.failed);
}

function unusedKeys(keys: readonly string[]): string {
  return `Keys of Hermes Agent that are not used here: ${keys.map(visible).join(", ")}.`;
}

/**
 * Throws the error of the first surface that would refuse to start. Returns a warning for what only keeps a plugin from
 * loading, or needs a flag at the start.
 */
async function demandForAll(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const { discoverPlugins, entryOf } = await import("#plugins/discover");
  const { environmentProblem } = await import("#plugins/manifest");
  const { describeModel } = await import("#agent/models/select");
  const { checkPlatforms } = await import("#gateway/adapters/table");
  for (const surface of SURFACES) demandFor(surface, config);
  const { plugins } = await discoverPlugins(paths.plugins, config.values.plugins);
  const enabled = plugins.filter(({ state }) => state === "enabled");
  for (const plugin of enabled) demandFor("plugin", config, entryOf(plugin, config.values.plugins.entries).key);
  describeModel(config.values.model, env);
  checkPlatforms(config.values.gateway?.platforms ?? {});
  const unmet = enabled.flatMap(({ name, manifest }) => {
    const problem = environmentProblem(manifest, env);
    return problem === undefined ? [] : [`plugin "${visible(name)}": ${problem}`];
  });
  const more = [...(await exposedDashboard(config)), ...(await templateProblems(config))];
  return [...unmet, ...mcpProblems(config), ...more];
}

/** Of the servers that will not be started. */
function mcpProblems(config: Config): readonly string[] {
  return Object.entries(config.values.mcp_servers ?? {}).flatMap(([name, { enabled }]) => {
    const problem = enabled === false ? null : mcpServerProblem(config, name);
    return problem === null ? [] : [problem];
  });
}

async function templateProblems({ values }: Config): Promise<readonly string[]> {
  if (values.webhooks?.endpoints === undefined) return [];
  const { configuredEndpoints } = await import("#daemon/webhooks/endpoints");
  const { findTemplateProblems } = await import("#daemon/webhooks/transform");
  return configuredEndpoints(values.webhooks).flatMap(findTemplateProblems);
}

/** The model that answers, and where its requests go. */
async function modelOf({ values }: Config, env: NodeJS.ProcessEnv) {
  const { describeModel, shownUrl } = await import("#agent/models/select");
  const { provider, id, baseUrl } = describeModel(values.model, env);
  return { provider, id, base_url: shownUrl(baseUrl) };
}

async function exposedDashboard({ values }: Config): Promise<readonly string[]> {
  const { bindAddress } = await import("#dashboard/addresses");
  try {
    bindAddress(values.dashboard?.host);
    return [];
  } catch (error) {
    if (isHermesError(error) && error.code === "HERMES_DASHBOARD_EXPOSED") return [error.message];
    throw error;
  }
}
