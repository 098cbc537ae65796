/** Finds the plugins of a home and which of them are enabled. Fast, and does not execute their code. */
import { basename } from "node:path";
import {
  discoverExtensions,
  ManifestCache,
  refuseNamesakes,
  type EntryChoice,
  type ExtensionKind,
  type FoundExtension,
} from "#core/extensions/discover";
import type { ConfigValues } from "#core/home/config";
import type { PluginEntry } from "#core/home/config-defaults";
import { didYouMean } from "#core/suggest";
import { BUILTIN_DIRECTORY, BUILTIN_PLUGINS, builtinFolder, type BuiltinPlugin } from "./builtin.ts";
import { PLUGIN_FORMAT, type Manifest } from "./manifest.ts";

export type PluginState = "enabled" | "disabled" | "not_enabled" | "error";

export interface FoundPlugin {
  /** The folder's name under `plugins/`; `builtin` for one that comes with hermes. */
  readonly directory: string;
  /** The folder; its path may contain symbolic links. */
  readonly folder: string;
  /** The manifest's name; the folder's name if there is no readable manifest. */
  readonly name: string;
  readonly manifest: Manifest | undefined;
  /** The module to import; undefined when there is none. */
  readonly entry: string | undefined;
  readonly state: PluginState;
  /** Why it cannot be loaded, with file and line if known. */
  readonly error: string | undefined;
  /** True when the configuration enables it: then its error causes a warning. */
  readonly wanted: boolean;
  /** Why others could change it, as a sentence, else null: marked `on_error: block`, it does not load. */
  readonly exposed: string | null;
  /** Set for a plugin that comes with hermes. */
  readonly builtin?: BuiltinPlugin;
}

export interface Discovery {
  /** By folder name, then the built-in ones. */
  readonly plugins: readonly FoundPlugin[];
  readonly warnings: readonly string[];
}

/** `plugins.enabled` and `plugins.disabled`: names or folders. */
export interface Choice {
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

const PYTHON_ENTRY = "__init__.py";
/** Of several, the first is the entry. */
const ENTRIES = ["index.ts", "index.mts", "index.js", "index.mjs", PYTHON_ENTRY];

const KIND: ExtensionKind<Manifest> = {
  ...PLUGIN_FORMAT,
  noun: "plugins",
  manifestFile: "plugin.yaml",
  chooseEntry,
};

export interface PluginSearch {
  /** Manifests of an earlier discovery: unchanged ones are not parsed again. */
  readonly known?: ManifestCache<Manifest>;
  /** The folders of running plugins by name: a new folder does not take a name away from them. */
  readonly holders?: ReadonlyMap<string, string>;
  /** Plugins that need no folder; those of hermes when absent. */
  readonly builtin?: readonly BuiltinPlugin[] | undefined;
}

/** Reads `parent` (the home's `plugins/`); if it is missing, there are no plugins. Never throws. */
export async function discoverPlugins(
  parent: string,
  choice: Choice,
  { known = new ManifestCache(), holders, builtin = BUILTIN_PLUGINS }: PluginSearch = {},
): Promise<Discovery> {
  const { found, warnings } = await discoverExtensions({ parent, kind: KIND, known });
  const own = refuseNamesakes<FoundPlugin>(
    found.map((one) => decide(one, choice)),
    {
      parent,
      manifestFile: KIND.manifestFile,
      holders,
      nameOf: ({ state, name }) => (state === "enabled" ? name : undefined),
      stays: ({ state }) => state === "error",
      refuse: (plugin, _name, error) => ({ ...plugin, state: "error", error }),
    },
  );
  const plugins = [...own, ...builtin.map((one) => decideBuiltin(one, own, choice))];
  const exposed = plugins.flatMap(({ state, exposed: sentence }) =>
    state === "enabled" && sentence !== null ? [sentence] : [],
  );
  return { plugins, warnings: [...warnings, ...exposed, ...unknownNames(plugins, choice)] };
}

function chooseEntry(folder: string, files: ReadonlySet<string>): EntryChoice {
  const file = ENTRIES.find((name) => files.has(name));
  if (file !== undefined) return { file };
  return { problem: `${folder} has no entry: expected one of ${ENTRIES.join(", ")}.` };
}

/** The source of its hooks' runs. */
export function sourceOf({ entry }: Pick<FoundPlugin, "entry">): "plugin" | "python" {
  return entry !== undefined && basename(entry) === PYTHON_ENTRY ? "python" : "plugin";
}

/** True when `word` in the configuration refers to this plugin. */
export function isNamed(plugin: Pick<FoundPlugin, "name" | "directory">, word: string): boolean {
  return plugin.name === word || plugin.directory === word;
}

/** What `plugins.entries` says of a plugin, under its name or else its folder; `key` is undefined when it says nothing. */
export function entryOf(
  { name, directory }: Pick<FoundPlugin, "name" | "directory">,
  entries: ConfigValues["plugins"]["entries"],
): PluginEntry & { readonly key: string | undefined } {
  const key = [name, directory].find((word) => Object.hasOwn(entries, word));
  const builtin = directory === BUILTIN_DIRECTORY ? BUILTIN_PLUGINS.find((one) => one.name === name) : undefined;
  const defaults = builtin === undefined ? {} : { on_error: builtin.on_error };
  return { ...defaults, ...(key === undefined ? {} : entries[key]), key };
}

function decide(found: FoundExtension<Manifest>, { enabled, disabled }: Choice): FoundPlugin {
  const { directory, folder, manifest } = found;
  const usable = found.kind === "usable";
  const plugin = {
    directory,
    folder,
    name: manifest?.name ?? directory,
    manifest,
    entry: usable ? found.entry : undefined,
    error: usable ? undefined : found.problem,
    exposed: usable ? found.exposed : null,
  };
  const off = disabled.some((word) => isNamed(plugin, word));
  const on = enabled.some((word) => isNamed(plugin, word));
  if (off) return { ...plugin, state: "disabled", wanted: false };
  return { ...plugin, state: usable ? (on ? "enabled" : "not_enabled") : "error", wanted: on };
}

/** A built-in plugin gives way to an enabled plugin of the user that has its name. */
function decideBuiltin(builtin: BuiltinPlugin, own: readonly FoundPlugin[], choice: Choice): FoundPlugin {
  const { name, description, isOn } = builtin;
  const { enabled, disabled } = choice;
  const other = own.find((plugin) => plugin.state === "enabled" && isNamed(plugin, name));
  const off = other !== undefined || disabled.includes(name);
  const on = !off && (isOn || enabled.includes(name));
  return {
    directory: BUILTIN_DIRECTORY,
    folder: builtinFolder(name),
    name,
    manifest: { ...NO_MANIFEST, name, description },
    entry: undefined,
    state: off ? "disabled" : on ? "enabled" : "not_enabled",
    error: other === undefined ? undefined : `plugins/${other.directory} replaces it.`,
    wanted: on,
    exposed: null,
    builtin,
  };
}

const NO_MANIFEST: Omit<Manifest, "name" | "description"> = {
  version: undefined,
  author: undefined,
  requiresEnv: [],
  providesHooks: [],
  providesTools: [],
  requiresPlugins: [],
};

function unknownNames(plugins: readonly FoundPlugin[], { enabled, disabled }: Choice): readonly string[] {
  const known = new Set(plugins.flatMap(({ name, directory }) => [name, directory]));
  const unknown = (key: string, words: readonly string[]) =>
    words
      .filter((word) => !known.has(word))
      .map((word) => `plugins.${key}: there is no plugin "${word}".${didYouMean(word, known)}`);
  return [...unknown("enabled", enabled), ...unknown("disabled", disabled)];
}
