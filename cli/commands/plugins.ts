import type { Command } from "#cli/command-line/command";
import { loadConfig } from "#core/home/config";
import { HermesError } from "#core/errors";
import { didYouMean } from "#core/suggest";
import { discoverPlugins, isNamed, type FoundPlugin } from "#plugins/discover";
import type { CliContext } from "../context.ts";
import type { ConfirmationOptions } from "../confirmation.ts";
import type { InstallOptions } from "../plugin-install/install.ts";

/** `hermes plugins list|enable|disable|new` */
export function addPluginsCommand(program: Command, context: CliContext): void {
  const plugins = program
    .command("plugins")
    .description("Manage plugins: your code inside hermes, with hooks, tools and commands.");
  plugins
    .command("list")
    .description("list plugins and what they provide; loads the enabled ones")
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      const { listPlugins } = await import("./plugins/list.ts");
      await listPlugins(options.json === true, command, context);
    });
  for (const action of ["enable", "disable"] as const) {
    plugins
      .command(action)
      .description(action === "enable" ? "enable a plugin; it loads at the next start or reload" : "disable a plugin")
      .argument("<name>", "plugin name or folder")
      .action((name: string, _: object, command: Command) => switchPlugin(action, name, command, context));
  }
  addInstallCommands(plugins, context);
  plugins
    .command("new")
    .description("create a plugin to start from; does not enable it")
    .argument("<name>", "plugin name: letters, digits, - and _")
    .action((name: string, _: object, command: Command) => createPlugin(name, command, context));
}

function addInstallCommands(plugins: Command, context: CliContext): void {
  plugins
    .command("install")
    .description("install a plugin from npm, git or a folder; does not enable it")
    .argument("<source>", "npm:NAME, git:URL or the path of a folder")
    .option("--ref <ref>", "the version (npm), or the branch, tag or commit (git)")
    .option("--yes", "do not ask")
    .option("--json", "print JSON; needs --yes")
    .addHelpText("after", INSTALL_HELP)
    .action(async (source: string, options: InstallOptions, command: Command) => {
      const { installPlugin } = await import("../plugin-install/install.ts");
      await installPlugin(source, options, command, context);
    });
  plugins
    .command("update")
    .description("fetch an installed plugin again, or all of them, and replace what differs")
    .argument("[name]", "plugin name or folder")
    .option("--ref <ref>", "another version, branch, tag or commit")
    .option("--yes", "do not ask")
    .option("--json", "print JSON; needs --yes")
    .action(async (name: string | undefined, options: InstallOptions, command: Command) => {
      const { updatePlugins } = await import("../plugin-install/update.ts");
      await updatePlugins(name, options, command, context);
    });
  plugins
    .command("remove")
    .description("delete an installed plugin")
    .argument("<name>", "plugin name or folder")
    .option("--yes", "do not ask")
    .option("--json", "print JSON; needs --yes")
    .action(async (name: string, options: ConfirmationOptions, command: Command) => {
      const { removePlugin } = await import("../plugin-install/remove.ts");
      await removePlugin(name, options, command, context);
    });
}

const INSTALL_HELP = `
Examples:
  hermes plugins install npm:hermes-weather
  hermes plugins install git:https://example.org/weather.git --ref v1.2.0
  hermes plugins install ./my-plugin`;

async function switchPlugin(
  action: "enable" | "disable",
  word: string,
  command: Command,
  context: CliContext,
): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const choice = config.values.plugins;
  const { plugins } = await discoverPlugins(paths.plugins, choice);
  const plugin = plugins.find((one) => isNamed(one, word));
  // A plugin that no longer exists can still be removed from the configuration.
  if (plugin === undefined && !(action === "disable" && choice.enabled.includes(word))) throw unknown(word, plugins);
  const names = plugin === undefined ? [word] : [plugin.name, plugin.directory];
  const name = plugin?.name ?? word;
  const has = (list: readonly string[]) => list.some((item) => names.includes(item));
  const [from, to] = action === "enable" ? (["disabled", "enabled"] as const) : (["enabled", "disabled"] as const);
  if (has(choice[to]) && !has(choice[from])) return context.out(`The plugin "${name}" is already ${action}d.`);
  const { editPluginLists } = await import("../plugin-lists.ts");
  const file = await editPluginLists(config.file ?? paths.config, { remove: names, from, add: { name, to } });
  context.out(`The plugin "${name}" is ${action}d (${file}).`);
  if (action === "enable" && plugin?.error !== undefined) context.warn(`it does not load yet: ${plugin.error}`);
}

function unknown(word: string, plugins: readonly FoundPlugin[]): HermesError {
  const names = plugins.flatMap(({ name, directory }) => [name, directory]);
  const hint = didYouMean(word, names) || ' "hermes plugins list" lists all plugins.';
  return new HermesError("HERMES_PLUGIN_UNKNOWN", { plugin: word, hint });
}

async function createPlugin(name: string, command: Command, context: CliContext): Promise<void> {
  const { scaffoldPlugin } = await import("#plugins/scaffold");
  for (const path of scaffoldPlugin(context.paths(command).plugins, name)) context.out(`Created ${path}`);
  context.note(`It is not enabled yet. Run: hermes plugins enable ${name}`);
}
