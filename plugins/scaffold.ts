/** What `hermes plugins new` writes: a plugin that type-checks, loads and does something visible. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Writes `plugins/<name>/` and, where there is none, `plugins/tsconfig.json` for editors. Gives the paths written.
 * Throws HERMES_PLUGIN_NAME, HERMES_PLUGIN_EXISTS before anything is written, and HERMES_PLUGIN_WRITE.
 */
export function scaffoldPlugin(plugins: string, name: string): readonly string[] {
  if (!NAME.test(name)) throw new HermesError("HERMES_PLUGIN_NAME", { name });
  const folder = join(plugins, name);
  if (existsSync(folder)) throw new HermesError("HERMES_PLUGIN_EXISTS", { path: folder });
  try {
    return writeFiles(plugins, folder, name);
  } catch (error) {
    throw new HermesError("HERMES_PLUGIN_WRITE", { path: folder, problem: problemOf(error) }, { cause: error });
  }
}

function writeFiles(plugins: string, folder: string, name: string): readonly string[] {
  ensureFolder(dirname(plugins));
  ensureFolder(plugins);
  mkdirSync(folder);
  const files: [path: string, text: string][] = [
    [join(folder, "plugin.yaml"), manifest(name)],
    [join(folder, "index.ts"), MODULE],
  ];
  const config = join(plugins, "tsconfig.json");
  if (!existsSync(config)) files.push([config, `${JSON.stringify(pluginTsconfig(), null, 2)}\n`]);
  for (const [path, text] of files) writeFileSync(path, text, { flag: "wx" });
  return files.map(([path]) => path);
}

/** A tsconfig with which editors and `tsc -p` find the types of `hermes-hooks/plugin` from any folder. */
export function pluginTsconfig(): Record<string, unknown> {
  const nodeTypes = nodeTypesFolder();
  return {
    compilerOptions: {
      target: "es2024",
      // Without the types of Node, those of the browser know `fetch`, `console` and timers.
      lib: nodeTypes === undefined ? ["es2024", "dom"] : ["es2024"],
      types: nodeTypes === undefined ? [] : ["node"],
      ...(nodeTypes === undefined ? {} : { typeRoots: [nodeTypes] }),
      module: "preserve",
      moduleResolution: "bundler",
      moduleDetection: "force",
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      skipLibCheck: true,
      paths: { "hermes-hooks/plugin": [typesFile()] },
    },
    include: ["*/**/*.ts", "*/**/*.mts"],
    exclude: ["**/node_modules"],
  };
}

/** The source in the repository, the declarations in the package. */
function typesFile(): string {
  const name = extname(import.meta.filename) === ".ts" ? "./api.ts" : "./api.d.ts";
  return fileURLToPath(new URL(name, import.meta.url));
}

/** The folder that holds `@types/node`, if whoever installed this program has it. */
function nodeTypesFolder(): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")));
  } catch {
    // Not installed: the caller has another way.
    return undefined;
  }
}

function manifest(name: string): string {
  return `name: ${JSON.stringify(name)}
version: 0.1.0
description: What this plugin does, in one line.
provides_hooks: [pre_tool_call, post_tool_call]
provides_tools: []
# requires_env: [MY_API_KEY]       # loaded only if these variables are set
# requires_plugins: [other-plugin] # loaded after these
`;
}

const MODULE = `/**
 * A plugin for hermes. Switch it on with "hermes plugins enable", see it with "hermes plugins list".
 * Every event, its payload and what may be answered: "hermes hooks events". The guide: docs/plugins.md.
 */
import { definePlugin } from "hermes-hooks/plugin";

const calls = new Map<string, number>();

export default definePlugin({
  hooks: {
    // Before any tool runs. Answer nothing to let it run, {action: "block", message} to stop it,
    // {action: "modify", args} to change its arguments. The payload is frozen.
    pre_tool_call({ tool_name, args }) {
      if (tool_name === "terminal" && /\\brm\\s+-rf\\s+\\//.test(String(args["command"]))) {
        return { action: "block", message: "This would delete from the root of the disk." };
      }
    },

    // After any tool has returned. What an observer answers is ignored.
    post_tool_call({ tool_name }) {
      calls.set(tool_name, (calls.get(tool_name) ?? 0) + 1);
    },
  },

  // Runs once, when the plugin is loaded: tools, slash commands, settings, the log.
  register(ctx) {
    ctx.register_command({
      name: "calls",
      description: "how often each tool was called",
      handler: () => [...calls].map(([tool, count]) => \`\${tool}: \${count}\`).join("\\n") || "No tool was called yet.",
    });
    ctx.on_unload(() => ctx.logger.info("%d tools were used", calls.size));
  },
});
`;
