import type { Command } from "commander";
import { loadConfig } from "#core/home/config";
import { HermesError } from "#core/errors";
import { didYouMean } from "#core/suggest";
import { discoverPlugins, isNamed, type FoundPlugin } from "#plugins/discover";
import type { CliContext } from "../context.ts";

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
  plugins
    .command("new")
    .description("create a plugin to start from; does not enable it")
    .argument("<name>", "plugin name: letters, digits, - and _")
    .action((name: string, _: object, command: Command) => createPlugin(name, command, context));
}

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
  const { editPluginLists } = await import("./plugins/edit-config.ts");
  const file = await editPluginLists(config.file ?? paths.config, { remove: names, from, add: name, to });
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
