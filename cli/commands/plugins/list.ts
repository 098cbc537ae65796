import type { Command } from "#cli/command-line/command";
import { loadConfig } from "#core/home/config";
import { HookDispatcher } from "#core/dispatch";
import { openLog } from "#core/home/log";
import { createRedactor } from "#core/home/redact";
import { HookRegistry } from "#core/registry";
import { BUILTIN_DIRECTORY } from "#plugins/builtin";
import { createPluginHost, type PluginListing } from "#plugins/host";
import { examineInstalled, type ExaminedPlugin } from "../../plugin-install/examine.ts";
import { listBuiltinTools } from "../../builtin-tools.ts";
import type { CliContext } from "../../context.ts";
import { openPython, pythonPlugins } from "../../python.ts";
import { printList, type Column } from "../../list.ts";

const COLUMNS: readonly Column[] = [
  { head: "PLUGIN" },
  { head: "STATE", kind: "state" },
  { head: "PROVIDES", kind: "text" },
];

/** Loads the enabled plugins, as a conversation would, lists them, and unloads them. */
export async function listPlugins(json: boolean, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const globals = context.globals(command);
  const config = await loadConfig(paths, context.env);
  const log = openLog({
    path: paths.log,
    level: globals.logLevel,
    redact: createRedactor(context.env),
    onError: (problem) => context.warn(`${paths.log} cannot be written: ${problem}`),
  });
  const python = openPython({ config: () => config, home: paths.home, env: context.env, log });
  const host = createPluginHost({
    paths,
    dispatcher: new HookDispatcher(),
    registry: new HookRegistry((sentence) => context.warn(sentence)),
    env: context.env,
    log,
    warn: (sentence) => context.warn(sentence),
    builtinTools: (await listBuiltinTools(context.env)).map(({ name }) => name),
    safeMode: globals.safeMode,
    loadCode: pythonPlugins(python),
  });
  try {
    await host.load(config);
    const { installed, problems } = examineInstalled(paths.plugins);
    for (const problem of problems) context.warn(problem);
    const plugins = host.list().map((plugin) => withOrigin(plugin, installed));
    if (json) return context.json({ plugins });
    if (plugins.every(({ directory }) => directory === BUILTIN_DIRECTORY)) {
      context.note(`There are no plugins in ${paths.plugins}. Create one with: hermes plugins new NAME`);
    }
    printList(context, COLUMNS, plugins.map(rowOf));
  } finally {
    await host.unload();
    await python[Symbol.asyncDispose]();
    await log.close();
  }
}

type Listed = PluginListing & { readonly installed?: ExaminedPlugin };

function withOrigin(plugin: PluginListing, installed: ReadonlyMap<string, ExaminedPlugin>): Listed {
  const origin = installed.get(plugin.directory);
  return origin === undefined ? plugin : { ...plugin, installed: origin };
}

function rowOf({ name, directory, state, error, hooks, tools, commands }: PluginListing): readonly string[] {
  const title = name === directory ? name : `${name} (${directory})`;
  const brings = [...hooks, ...tools.map((tool) => `tool ${tool}`), ...commands.map((word) => `/${word}`)];
  return [title, state.replace("_", " "), error ?? brings.join(", ")];
}
