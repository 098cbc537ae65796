/** The plugins that come with hermes. They are on unless `plugins.disabled` names them. */
import { join } from "node:path";
import type { PluginDefinition } from "./api.ts";

export interface BuiltinPlugin {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<PluginDefinition>;
}

/** Shown instead of a folder name in lists of plugins. */
export const BUILTIN_DIRECTORY = "builtin";

export const BUILTIN_PLUGINS: readonly BuiltinPlugin[] = [
  {
    name: "boot-md",
    description: "runs the checklist BOOT.md of the home when the gateway has started",
    load: async () => (await import("./builtin/boot-md.ts")).bootMd,
  },
];

/** The folder that a built-in plugin gets as its own; it is empty. */
export function builtinFolder(name: string): string {
  return join(import.meta.dirname, BUILTIN_DIRECTORY, name);
}
