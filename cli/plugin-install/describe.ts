/** What an installed plugin, or one to be installed, says about itself. */
import { visible } from "#allowlist/visible";
import type { InstalledPlugin } from "#plugins/installed";
import type { Manifest } from "#plugins/manifest";
import { columns } from "../columns.ts";
import { shownSource } from "./source.ts";

/** A plugin as the `--json` documents of `install` and `update` have it. */
export interface DescribedPlugin {
  readonly name: string;
  readonly directory: string;
  readonly version: string | null;
  readonly source: string;
  readonly ref: string | null;
  readonly resolved: string | null;
  readonly provides: { readonly hooks: readonly string[]; readonly tools: readonly string[] };
  readonly needs: { readonly env: readonly string[]; readonly plugins: readonly string[] };
}

export function describePlugin(
  directory: string,
  { name, version, source, ref, resolved }: Pick<InstalledPlugin, "name" | "version" | "source" | "ref" | "resolved">,
  { providesHooks, providesTools, requiresEnv, requiresPlugins }: Manifest,
): DescribedPlugin {
  return {
    name,
    directory,
    version,
    source: shownSource(source),
    ref,
    resolved,
    provides: { hooks: providesHooks, tools: providesTools },
    needs: { env: requiresEnv, plugins: requiresPlugins },
  };
}

/** The same for people, before they are asked. */
export function describeForPerson(
  plugin: DescribedPlugin,
  { description, author }: Manifest,
  { env, files, packages }: { readonly env: NodeJS.ProcessEnv; readonly files: number; readonly packages: boolean },
): readonly string[] {
  const { name, version, source, ref, resolved, provides, needs } = plugin;
  const hooks = [...provides.hooks, ...provides.tools.map((tool) => `tool ${tool}`)];
  const needed = [
    ...needs.env.map((variable) => `${variable} in the environment${env[variable] ? "" : " (not set)"}`),
    ...needs.plugins.map((other) => `the plugin ${other}`),
  ];
  const from = [source, ref === null ? "" : `(${ref})`, resolved ?? ""].filter(Boolean).join(" ");
  const by = [description, author === undefined ? undefined : `by ${author}`].filter((part) => part !== undefined);
  const rows = [
    ["  from", from],
    ["  provides", hooks.length === 0 ? "nothing that its plugin.yaml names" : hooks.join(", ")],
    ["  needs", needed.length === 0 ? "nothing" : needed.join(", ")],
    ["  files", `${files}${packages ? ", and packages of others in node_modules" : ""}`],
  ];
  const title = `${name}${version === null ? "" : ` ${version}`}${by.length === 0 ? "" : `: ${by.join(", ")}`}`;
  return [visible(title), ...columns(rows.map((row) => row.map(visible)))];
}
