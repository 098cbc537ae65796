/** Finds the plugins of a home and says which of them are wanted. Quick, and nothing of theirs is executed. */
import { readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { isHermesError, problemOf } from "#core/errors";
import { didYouMean } from "#core/suggest";
import { BUILTIN_DIRECTORY, BUILTIN_PLUGINS, builtinFolder, type BuiltinPlugin } from "./builtin.ts";
import { readManifest, type Manifest } from "./manifest.ts";

export type PluginState = "enabled" | "disabled" | "not_enabled" | "error";

export interface FoundPlugin {
  /** The folder's name under `plugins/`; `builtin` for one that comes with hermes. */
  readonly directory: string;
  /** The folder, as a path that may lead through a symlink. */
  readonly folder: string;
  /** The manifest's name; the folder's while there is no readable manifest. */
  readonly name: string;
  readonly manifest: Manifest | undefined;
  /** The module to import; undefined when there is none. */
  readonly entry: string | undefined;
  readonly state: PluginState;
  /** Why it cannot be loaded, with file and line where there is one. */
  readonly error: string | undefined;
  /** True when the configuration asks for it: then its error is worth a warning. */
  readonly wanted: boolean;
  /** Set for a plugin that comes with hermes. */
  readonly builtin?: BuiltinPlugin;
}

export interface Discovery {
  /** By name of the folder, then the built-in ones. */
  readonly plugins: readonly FoundPlugin[];
  readonly warnings: readonly string[];
}

/** `plugins.enabled` and `plugins.disabled`: names or folders. */
export interface Choice {
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

const ENTRIES = ["index.ts", "index.mts", "index.js", "index.mjs"] as const;
const PYTHON_ENTRY = "__init__.py";
const MANIFEST = "plugin.yaml";

const PYTHON_SENTENCE =
  "It is a Python plugin, and the bridge that runs those is not there yet. Write it in TypeScript or JavaScript.";

/** Reads `folder` (the home's `plugins/`); a missing one holds no plugins. Never throws. */
export async function discoverPlugins(folder: string, choice: Choice): Promise<Discovery> {
  const warnings: string[] = [];
  const inspected = await Promise.all(
    list(folder, warnings).map((directory) => inspect(join(folder, directory), directory)),
  );
  const own = refuseNamesakes(inspected.map((found) => decide(found, choice)));
  const plugins = [...own, ...BUILTIN_PLUGINS.map((builtin) => decideBuiltin(builtin, own, choice))];
  return { plugins, warnings: [...warnings, ...unknownNames(plugins, choice)] };
}

/** True when `word` of the configuration means this plugin. */
export function isNamed(plugin: Pick<FoundPlugin, "name" | "directory">, word: string): boolean {
  return plugin.name === word || plugin.directory === word;
}

/** The folders in alphabetical order, by code unit, so that it is the same on every machine. */
function list(folder: string, warnings: string[]): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !isIgnored(entry.name))
      .filter((entry) => entry.isDirectory() || !leadsToFile(join(folder, entry.name)))
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      warnings.push(`${folder} cannot be read, so there are no plugins: ${problemOf(error)}`);
    }
    return [];
  }
}

function isIgnored(name: string): boolean {
  return name.startsWith(".") || name === "node_modules" || name === "__pycache__";
}

function leadsToFile(path: string): boolean {
  return stat(path)?.isFile() === true;
}

function stat(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

type Inspected = Omit<FoundPlugin, "state" | "wanted">;

async function inspect(folder: string, directory: string): Promise<Inspected> {
  const found: Inspected = {
    directory,
    folder,
    name: directory,
    manifest: undefined,
    entry: undefined,
    error: undefined,
  };
  try {
    if (stat(folder) === undefined) return { ...found, error: `${folder} is a link that leads nowhere.` };
    const files = new Set(readdirSync(folder));
    if (!files.has(MANIFEST)) {
      const hint = files.has("plugin.yml") ? ` Rename plugin.yml to ${MANIFEST}.` : "";
      return { ...found, error: `${folder} has no ${MANIFEST}.${hint}` };
    }
    const manifest = await readManifest(join(folder, MANIFEST));
    const named = { ...found, name: manifest.name, manifest };
    const entry = ENTRIES.find((name) => files.has(name));
    if (entry !== undefined) return { ...named, entry: join(folder, entry) };
    if (files.has(PYTHON_ENTRY)) return { ...named, error: PYTHON_SENTENCE };
    return { ...named, error: `${folder} has no entry: expected one of ${ENTRIES.join(", ")}.` };
  } catch (error) {
    return { ...found, error: isHermesError(error) ? error.message : `${folder} cannot be read: ${problemOf(error)}` };
  }
}

function decide(found: Inspected, { enabled, disabled }: Choice): FoundPlugin {
  const off = disabled.some((word) => isNamed(found, word));
  const on = enabled.some((word) => isNamed(found, word));
  if (off) return { ...found, state: "disabled", wanted: false };
  if (found.error !== undefined) return { ...found, state: "error", wanted: on };
  return { ...found, state: on ? "enabled" : "not_enabled", wanted: on };
}

/** A built-in plugin is on unless it is disabled, or an enabled plugin of the person's has its name. */
function decideBuiltin(builtin: BuiltinPlugin, own: readonly FoundPlugin[], { disabled }: Choice): FoundPlugin {
  const { name, description } = builtin;
  const other = own.find((plugin) => plugin.state === "enabled" && isNamed(plugin, name));
  const off = other !== undefined || disabled.includes(name);
  return {
    directory: BUILTIN_DIRECTORY,
    folder: builtinFolder(name),
    name,
    manifest: { ...NO_MANIFEST, name, description },
    entry: undefined,
    state: off ? "disabled" : "enabled",
    error: other === undefined ? undefined : `plugins/${other.directory} takes its place.`,
    wanted: !off,
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

/** Of several enabled plugins with one name the first keeps it: a name must mean one plugin in log and settings. */
function refuseNamesakes(plugins: readonly FoundPlugin[]): readonly FoundPlugin[] {
  const holders = new Map<string, string>();
  return plugins.map((plugin) => {
    if (plugin.state !== "enabled") return plugin;
    const holder = holders.get(plugin.name);
    if (holder === undefined) {
      holders.set(plugin.name, plugin.directory);
      return plugin;
    }
    const error = `${join(plugin.folder, MANIFEST)}: the name "${plugin.name}" is already that of plugins/${holder}.`;
    return { ...plugin, state: "error", error };
  });
}

function unknownNames(plugins: readonly FoundPlugin[], { enabled, disabled }: Choice): readonly string[] {
  const known = new Set(plugins.flatMap(({ name, directory }) => [name, directory]));
  const unknown = (key: string, words: readonly string[]) =>
    words
      .filter((word) => !known.has(word))
      .map((word) => `plugins.${key}: there is no plugin "${word}".${didYouMean(word, known)}`);
  return [...unknown("enabled", enabled), ...unknown("disabled", disabled)];
}
