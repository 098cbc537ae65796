/** Reads `config.yaml` into an immutable snapshot (CONTRACT §2). A reload replaces the whole snapshot. */
import { existsSync, readFileSync } from "node:fs";
import { findAccessProblem } from "./access.ts";
import { DEFAULTS, SECTION_NAMES, type PluginEntry } from "./config-defaults.ts";
import type { RawConfig } from "./config-schema.ts";
import { HermesError, problemOf } from "#core/errors";
import type { HomePaths } from "./paths.ts";
import { didYouMean } from "#core/suggest";
import { keyText, parseYaml, type KeyPath, type YamlDocument } from "#core/yaml-document";
import { isMapping } from "#core/mapping";

/** The sections with their defaults filled in. */
export interface ConfigValues extends Omit<RawConfig, "model" | "agent" | "plugins" | "sessions" | "background"> {
  readonly model: NonNullable<RawConfig["model"]> & {
    readonly max_retries: number;
    readonly timeout_seconds: number;
  };
  readonly agent: {
    readonly instructions: boolean;
    readonly max_iterations: number;
    readonly env_passthrough: readonly string[];
  };
  readonly plugins: {
    readonly enabled: readonly string[];
    readonly disabled: readonly string[];
    readonly callback_timeout_seconds: number;
    readonly entries: Readonly<Record<string, PluginEntry>>;
  };
  readonly sessions: { readonly retention_days: number; readonly compact_at: number };
  readonly background: {
    readonly enabled: boolean;
    readonly max_concurrent: number;
    readonly timeout: number;
    readonly persist_on_restart: boolean;
    readonly retention_days: number;
  };
}

export interface Config {
  /** The file that was read, or null when there is none. */
  readonly file: string | null;
  readonly values: ConfigValues;
  readonly warnings: readonly string[];
  /** The line of a key, starting at 1; undefined for a key that is not in the file. */
  lineOf(path: KeyPath): number | undefined;
  /**
   * Throws HERMES_CONFIG_VARIABLE when a string at, below or above `path` names a variable that is not set or empty.
   * `demandFor` in demands.ts knows which paths a surface needs.
   */
  demand(...path: KeyPath): void;
}

interface Unset {
  readonly path: KeyPath;
  readonly variable: string;
}

/**
 * Values so simple that they are valid without the schema. A configuration that has only these starts
 * without zod, which would take half of the time of `hermes hooks list`.
 */
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  hooks: () => true,
  hooks_auto_accept: (value) => typeof value === "boolean",
  hooks_consent: (value) => value === "command" || value === "pinned",
  plugins: (value) => isPlainMapping(value, { enabled: isStrings, disabled: isStrings }),
  model: (value) => isPlainMapping(value, { provider: (name) => name === "offline" }),
};

const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === "string");

function isPlainMapping(value: unknown, keys: Readonly<Record<string, (value: unknown) => boolean>>): boolean {
  return isMapping(value) && Object.entries(value).every(([key, item]) => Object.hasOwn(keys, key) && keys[key]!(item));
}

/**
 * Reads the home's configuration; a home without one gives the defaults. Throws HERMES_CONFIG_ACCESS when others could
 * change it, HERMES_CONFIG_UNREADABLE, HERMES_CONFIG_SYNTAX or HERMES_CONFIG_TYPE with file, line and key.
 */
export async function loadConfig(paths: HomePaths, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const file = paths.config;
  const text = read(paths.config, paths.home);
  if (text !== undefined) return parseConfig(text, file, env);
  const fallback = read(paths.fallbackConfig, paths.home);
  return fallback === undefined ? emptyConfig() : parseConfig(fallback, paths.fallbackConfig, env);
}

/** Parses the text of a configuration; `file` is what errors name. Throws as {@link loadConfig} does. */
export async function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv): Promise<Config> {
  const source = await parseYaml(
    text,
    ({ cause, ...found }) => new HermesError("HERMES_CONFIG_SYNTAX", { file, ...found }, { cause }),
  );
  const { value } = source;
  if (value === null || value === undefined) return { ...emptyConfig(), file };
  if (!isMapping(value)) {
    throw new HermesError("HERMES_CONFIG_TYPE", { file, line: 1, key: "", problem: "expected a mapping of sections" });
  }
  const unset: Unset[] = [];
  const resolved: Record<string, unknown> = {};
  for (const [name, section] of Object.entries(value)) {
    if (section === null || section === undefined) continue;
    resolved[name] = name === "hooks" ? section : resolveVariables(section, [name], env, unset);
  }
  const warnings = await validate(resolved, { file, unset, lineOf: source.lineOf });
  return {
    file,
    values: withDefaults(resolved),
    warnings,
    lineOf: source.lineOf,
    demand: (...path) => demand(path, unset, file, source),
  };
}

function emptyConfig(): Config {
  return {
    file: null,
    values: withDefaults({}),
    warnings: [],
    lineOf: () => undefined,
    demand: () => undefined,
  };
}

function withDefaults(raw: RawConfig): ConfigValues {
  return {
    ...raw,
    model: { ...DEFAULTS.model, ...raw.model },
    agent: { ...DEFAULTS.agent, ...raw.agent },
    plugins: { ...DEFAULTS.plugins, ...raw.plugins },
    sessions: { ...DEFAULTS.sessions, ...raw.sessions },
    background: { ...DEFAULTS.background, ...raw.background },
  } as ConfigValues;
}

function read(file: string, home: string): string | undefined {
  const problem = existsSync(file) ? findAccessProblem(file, { home }) : null;
  if (problem !== null) throw new HermesError("HERMES_CONFIG_ACCESS", { file, problem });
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new HermesError("HERMES_CONFIG_UNREADABLE", { file, problem: problemOf(error) }, { cause: error });
  }
}

/** Replaces `${NAME}` in every string below `value`; `$${` is a literal `${`. Records unset and empty variables in `unset`. */
function resolveVariables(value: unknown, path: KeyPath, env: NodeJS.ProcessEnv, unset: Unset[]): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, variable: string | undefined) => {
      if (variable === undefined) return "${";
      // An empty variable is as good as none: an empty key would switch access control off.
      const found = env[variable];
      if (!found) unset.push({ path, variable });
      return found || whole;
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => resolveVariables(item, [...path, index], env, unset));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveVariables(item, [...path, key], env, unset)]),
  );
}

function demand(path: KeyPath, unset: readonly Unset[], file: string, source: YamlDocument): void {
  const isAt = (one: Unset) => path.slice(0, one.path.length).every((key, index) => one.path[index] === key);
  const found = unset.find(isAt);
  if (found === undefined) return;
  throw new HermesError("HERMES_CONFIG_VARIABLE", {
    file,
    line: source.lineOf(found.path),
    key: keyText(found.path),
    variable: found.variable,
  });
}

interface Validation {
  readonly file: string;
  readonly unset: readonly Unset[];
  readonly lineOf: (path: KeyPath) => number | undefined;
}

/** Gives the warnings (unknown keys); throws HERMES_CONFIG_TYPE for the first value of a wrong type. */
async function validate(value: Record<string, unknown>, where: Validation): Promise<string[]> {
  const known: ReadonlySet<string> = new Set(SECTION_NAMES);
  const warnings: string[] = [];
  for (const name of Object.keys(value)) {
    if (!known.has(name)) warnings.push(unknownKey([name], SECTION_NAMES, where));
  }
  const names = Object.keys(value).filter((name) => known.has(name) && !PLAIN[name]?.(value[name]));
  if (names.length === 0) return warnings;
  const { findConfigIssues } = await import("./config-issues.ts");
  const checked = Object.fromEntries(names.map((name) => [name, value[name]]));
  for (const issue of findConfigIssues(checked)) {
    if (issue.kind === "unknown") {
      warnings.push(unknownKey(issue.path, issue.candidates, where));
    } else if (!where.unset.some((one) => keyText(one.path) === keyText(issue.path))) {
      throw new HermesError("HERMES_CONFIG_TYPE", {
        file: where.file,
        // A missing key has no line; its parent does.
        line: where.lineOf(issue.path) ?? where.lineOf(issue.path.slice(0, -1)),
        key: keyText(issue.path),
        problem: issue.problem,
      });
    }
  }
  return warnings;
}

function unknownKey(path: KeyPath, candidates: readonly string[], { file, lineOf }: Validation): string {
  const line = lineOf(path);
  const hint = didYouMean(String(path.at(-1)), candidates);
  return `${file}${line === undefined ? "" : `:${line}`}: unknown key "${keyText(path)}", ignored.${hint}`;
}
