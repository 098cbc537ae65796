import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HookDispatcher } from "#core/dispatch";
import { parseConfig } from "#core/home/config";
import type { Log } from "#core/home/log";
import { HookRegistry } from "#core/registry";
import { createPluginHost } from "#plugins/host";
import type { Topic } from "./topic.ts";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const CODE = `export function register(ctx) {
  ctx.register_hook("post_tool_call", () => undefined);
}
`;

/** Loading and unloading plugins with one hook each. */
export const plugins: Topic = {
  title: "Plugins",
  input: "plugins",
  sizes: [0, 1, 5, 20, 50, 100, 200],
  lines: [
    {
      name: "loading and unloading all",
      prepare: async (size, home) => {
        const parent = join(home, "plugins");
        const enabled = Array.from({ length: size }, (_, index) => `plugin-${index}`);
        mkdirSync(parent, { mode: 0o700 });
        for (const name of enabled) {
          mkdirSync(join(parent, name));
          writeFileSync(join(parent, name, "plugin.yaml"), `name: ${name}\nprovides_hooks: [post_tool_call]\n`);
          writeFileSync(join(parent, name, "index.js"), CODE);
        }
        const config = await parseConfig(JSON.stringify({ plugins: { enabled } }), "config.yaml", process.env);
        const complain = (sentence: string) => {
          throw new Error(sentence);
        };
        return {
          once: async () => {
            const host = createPluginHost({
              paths: { home, plugins: parent },
              dispatcher: new HookDispatcher(),
              registry: new HookRegistry(complain),
              env: process.env,
              log: silent,
              warn: complain,
              builtinTools: [],
              safeMode: false,
            });
            await host.load(config);
            const loaded = host.list().filter(({ hooks }) => hooks.includes("post_tool_call")).length;
            await host.unload();
            if (loaded !== size) throw new Error(`${loaded} of ${size} plugins were loaded`);
          },
        };
      },
    },
  ],
};
