import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { discoverGatewayHooks } from "#gateway/hooks/discover";
import { DEFAULT_SETTINGS } from "#gateway/hooks/settings";
import { command } from "./command.ts";
import type { Topic } from "./topic.ts";

/** Writes gateway hooks; the parent folder is `hooks/` of the home. */
function fill(home: string, size: number): string {
  const parent = join(home, "hooks");
  mkdirSync(parent, { mode: 0o700 });
  for (let index = 0; index < size; index++) {
    const folder = join(parent, `hook-${index}`);
    mkdirSync(folder);
    writeFileSync(
      join(folder, "HOOK.yaml"),
      `name: hook-${index}\ndescription: Counts\nevents: [agent:start, agent:end]\n`,
    );
    writeFileSync(join(folder, "handler.js"), "export function handle() {}\n");
  }
  return parent;
}

/** Folders of gateway hooks: the list of all hooks, and what a start or a reload looks for. */
export const folders: Topic = {
  title: "Folders of gateway hooks",
  input: "folders in hooks/",
  sizes: [0, 1, 10, 100, 300, 1000],
  lines: [
    {
      name: "hermes hooks list",
      prepare: (size, home) => {
        fill(home, size);
        return command(["hooks", "list"], home);
      },
    },
    {
      name: "finding them",
      prepare: (size, home) => {
        const parent = fill(home, size);
        return {
          once: async () => {
            const { hooks } = await discoverGatewayHooks(parent, { settings: DEFAULT_SETTINGS });
            const usable = hooks.filter(({ kind }) => kind === "hook").length;
            if (usable !== size) throw new Error(`${usable} of ${size} hooks were found`);
          },
        };
      },
    },
  ],
};
