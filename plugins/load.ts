/** Imports a plugin's module and finds its registration; errors have the position in its code. */
import { readFileSync, realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { PluginCodeLoader, PluginRegistrar } from "#core/ports/plugin-code";
import type { PluginContext, PluginDefinition } from "./api.ts";
import { sourceOf, type FoundPlugin } from "./discover.ts";
import { versionedUrl, withoutVersions } from "./resolve.ts";

type PluginRegister = ReturnType<PluginCodeLoader>;

/** The unchecked exports of a plugin's module: the callbacks may be anything. */
export interface Registration {
  readonly hooks: Readonly<Record<string, unknown>>;
  readonly register: ((ctx: PluginContext) => unknown) | undefined;
}

/**
 * Imports a new version of the module; a built-in plugin has none. `loadCode` gives the registration of one in another
 * language. Throws HERMES_PLUGIN_LOAD with file and line.
 */
export async function importPlugin(
  plugin: FoundPlugin,
  entry: string,
  loadCode: () => PluginRegister,
): Promise<Registration> {
  if (sourceOf(plugin) === "python") {
    const register = loadCode();
    // Of a plugin's `ctx`, it needs less than there is.
    return { hooks: {}, register: (ctx) => register(ctx as unknown as PluginRegistrar) };
  }
  if (plugin.builtin !== undefined) return registrationOf({ default: await plugin.builtin.load() }, plugin.name);
  let module: unknown;
  try {
    module = await importAnew(plugin.folder, entry);
  } catch (error) {
    throw loadError(error, plugin.folder, entry);
  }
  return registrationOf(module as Readonly<Record<string, unknown>>, entry);
}

async function importAnew(folder: string, entry: string): Promise<unknown> {
  try {
    return await import(versionedUrl(folder, entry));
  } catch (error) {
    if ((error as Error | undefined)?.name !== "SyntaxError" || placeIn(error, folder) !== undefined) throw error;
    // Node does not report where a syntax error in JavaScript is. The TypeScript parser does, and no code ran yet.
    return await import(versionedUrl(folder, entry, { strict: true }));
  }
}

function registrationOf(module: Readonly<Record<string, unknown>>, file: string): Registration {
  const standard = module["default"];
  const definition: PluginDefinition =
    typeof standard === "object" && standard !== null
      ? standard
      : typeof standard === "function"
        ? { register: standard as () => void }
        : {};
  const register = module["register"] ?? definition.register;
  if (register !== undefined && typeof register !== "function") {
    throw new HermesError("HERMES_PLUGIN_LOAD", { file, problem: `"register" is ${typeof register}, not a function` });
  }
  const { hooks } = definition;
  if (hooks !== undefined && (typeof hooks !== "object" || hooks === null)) {
    throw new HermesError("HERMES_PLUGIN_LOAD", { file, problem: '"hooks" is not an object of callbacks by event' });
  }
  if (register === undefined && hooks === undefined) {
    const problem = 'it has no "register". Export function register(ctx), or export default definePlugin({…})';
    throw new HermesError("HERMES_PLUGIN_LOAD", { file, problem });
  }
  return { hooks: { ...hooks }, register: register as Registration["register"] };
}

/** The error of the table for a failed load, with the position in the plugin's own code. */
export function loadError(thrown: unknown, folder: string, entry: string): HermesError {
  if (isHermesError(thrown)) return thrown;
  const place = placeIn(thrown, folder) ?? importerIn(thrown, folder);
  const problem = `${withoutVersions(problemOf(thrown))}${cureOf(thrown)}`;
  return new HermesError(
    "HERMES_PLUGIN_LOAD",
    { file: place?.file ?? entry, line: place?.line, problem },
    { cause: thrown },
  );
}

function cureOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  if (code !== "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return "";
  return " (types are stripped, not compiled: enum, namespace and parameter properties do not work)";
}

interface Place {
  readonly file: string;
  readonly line: number | undefined;
}

/** The first stack frame in the folder. */
function placeIn(thrown: unknown, folder: string): Place | undefined {
  const stack = (thrown as { stack?: unknown } | null | undefined)?.stack;
  if (typeof stack !== "string") return undefined;
  const real = realpathSync(folder);
  for (const line of stack.split("\n")) {
    for (const [prefix, shown] of [
      [`${pathToFileURL(real).href}/`, true],
      [`${real}/`, false],
    ] as const) {
      const start = line.indexOf(prefix);
      if (start === -1) continue;
      const found = /^(.+?)(?:\?hermes=\d+)?:(\d+)/.exec(line.slice(start));
      if (found) return { file: shown ? withoutVersions(found[1]!) : found[1]!, line: Number(found[2]) };
    }
  }
  return undefined;
}

/** For a module that was not found: the file that imports it, and the line of the import. */
function importerIn(thrown: unknown, folder: string): Place | undefined {
  const found = /^Cannot find (?:module|package) '([^']+)' imported from (.+)$/m.exec(problemOf(thrown));
  if (!found) return undefined;
  const file = withoutVersions(found[2]!);
  if (!file.startsWith(`${realpathSync(folder)}/`)) return undefined;
  const word = found[1]!.split("/").at(-1)!;
  const index = readFileSync(file, "utf8")
    .split("\n")
    .findIndex((line) => line.includes(word));
  return { file, line: index === -1 ? undefined : index + 1 };
}
