/** The template of `hermes plugins new`: a plugin that type-checks, loads and does something visible. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Writes `plugins/<name>/` and, if missing, `plugins/tsconfig.json` for editors. Returns the written paths.
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

/** A tsconfig that lets editors and `tsc -p` find the types of `hermes-hooks/…` from any folder. */
export function pluginTsconfig(): Record<string, unknown> {
  const nodeTypes = nodeTypesFolder();
  return {
    compilerOptions: {
      target: "es2024",
      // Without Node's types, the browser's types include `fetch`, `console` and timers.
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
      paths: {
        "hermes-hooks/plugin": [typesFile("api")],
        "hermes-hooks/handler": [typesFile("../sandbox/handler")],
        "hermes-hooks/testing": [typesFile("../cli/testing/test-host")],
      },
    },
    include: ["*/**/*.ts", "*/**/*.mts"],
    exclude: ["**/node_modules"],
  };
}

/** The source in the repository, the declarations in the package. */
function typesFile(name: string): string {
  const extension = extname(import.meta.filename) === ".ts" ? ".ts" : ".d.ts";
  return fileURLToPath(new URL(`${name}${extension}`, import.meta.url));
}

/** The folder with `@types/node`, if it is installed. */
function nodeTypesFolder(): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")));
  } catch {
    // Not installed; the caller has a fallback.
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
 * A plugin for hermes. Enable it with "hermes plugins enable"; "hermes plugins list" shows it.
 * "hermes hooks events" lists every event, its payload and the possible answers. Guide: docs/plugins.md.
 */
import { definePlugin } from "hermes-hooks/plugin";

const calls = new Map<string, number>();

/** True for a command that deletes the whole disk. \`rm -rf /tmp/build\` is fine, and so is text that mentions it. */
function deletesEverything(line: string): boolean {
  return line.split(/[;&|\\n]+/).some((command) => {
    const [program, ...words] = command.trim().replace(/^sudo\\s+/, "").split(/\\s+/);
    return program === "rm" && words.some((word) => /^-\\w*[rR]|^--recursive$/.test(word)) && words.includes("/");
  });
}

export default definePlugin({
  hooks: {
    // Before each tool call. Return nothing to allow it, {action: "block", message} to stop it,
    // {action: "ask", message} to let the user decide, {action: "modify", args} to change its arguments. The payload is frozen.
    pre_tool_call({ tool_name, args }) {
      if (tool_name === "terminal" && deletesEverything(String(args["command"]))) {
        return { action: "block", message: "This would delete from the root of the disk." };
      }
    },

    // After each tool call. Answers of observers are ignored.
    post_tool_call({ tool_name }) {
      calls.set(tool_name, (calls.get(tool_name) ?? 0) + 1);
    },
  },

  // Runs once, when the plugin is loaded: add tools and slash commands, read settings, write to the log.
  register(ctx) {
    ctx.register_command({
      name: "calls",
      description: "how often each tool was called",
      handler: () => [...calls].map(([tool, count]) => \`\${tool}: \${count}\`).join("\\n") || "No tools were called yet.",
    });
    ctx.on_unload(() => ctx.logger.info("%d tools were used", calls.size));
  },
});
`;
