/** The plugins that come with hermes. */
import { join } from "node:path";
import type { PluginDefinition } from "./api.ts";

export interface BuiltinPlugin {
  readonly name: string;
  readonly description: string;
  /** True for one that is on unless `plugins.disabled` names it; the others are on when `plugins.enabled` does. */
  readonly isOn: boolean;
  /** What its failure does at a gate, unless its entry in `plugins.entries` says otherwise. */
  readonly on_error: "block" | "skip";
  readonly load: () => Promise<PluginDefinition>;
}

/** Shown instead of a folder name in lists of plugins. */
export const BUILTIN_DIRECTORY = "builtin";

export const BUILTIN_PLUGINS: readonly BuiltinPlugin[] = [
  {
    name: "boot-md",
    description: "runs the checklist BOOT.md of the home when the gateway has started",
    isOn: true,
    on_error: "skip",
    load: async () => (await import("./builtin/boot-md.ts")).bootMd,
  },
  {
    name: "approvals",
    description: "asks you before the agent runs commands and changes files, and remembers what you allow",
    isOn: false,
    on_error: "block",
    load: async () => (await import("./builtin/approvals.ts")).approvals,
  },
];

/** The folder that a built-in plugin gets as its own; it is empty. */
export function builtinFolder(name: string): string {
  return join(import.meta.dirname, BUILTIN_DIRECTORY, name);
}
