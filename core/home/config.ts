/** Reads `config.yaml` into an immutable snapshot (CONTRACT §2). A reload replaces the whole snapshot. */
import { existsSync, readFileSync } from "node:fs";
import { findAccessProblem } from "./access.ts";
import { DEFAULTS, SECTION_NAMES, type PluginEntry } from "./config-defaults.ts";
import type { RawConfig } from "./config-schema.ts";
import { HermesError, problemOf } from "#core/errors";
import type { HomePaths } from "./paths.ts";
import { didYouMean } from "#core/suggest";
import { keyText, parseYaml, type KeyPath } from "#core/yaml-document";
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
  /** Keys of Hermes Agent, the Python program, that mean nothing here, as they are written with dots. */
  readonly unusedKeys: readonly string[];
  /** The line of a key, starting at 1; undefined for a key that is not in the file. */
  lineOf(path: KeyPath): number | undefined;
  /**
   * Throws HERMES_CONFIG_VARIABLE when a string at, below or above `path` names a variable that is not set or empty, and
   * HERMES_CONFIG_TYPE when the name of a provider there is not known: Hermes Agent has others.
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
  // The short form of Hermes Agent.
  if (typeof resolved["model"] === "string") resolved["model"] = { default: resolved["model"] };
  const where = { file, unset, lineOf: source.lineOf };
  const { warnings, unusedKeys, late } = await validate(resolved, where);
  return {
    file,
    values: withDefaults(resolved),
    warnings,
    unusedKeys,
    lineOf: source.lineOf,
    demand: (...path) => demand(path, late, where),
  };
}

function emptyConfig(): Config {
  return {
    file: null,
    values: withDefaults({}),
    warnings: [],
    unusedKeys: [],
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

function demand(path: KeyPath, late: readonly TypeIssue[], where: Validation): void {
  const isAt = (one: Pick<Unset, "path">) =>
    path.slice(0, one.path.length).every((key, index) => one.path[index] === key);
  const issue = late.find(isAt);
  if (issue !== undefined) throw typeError(issue, where);
  const found = where.unset.find(isAt);
  if (found === undefined) return;
  throw new HermesError("HERMES_CONFIG_VARIABLE", {
    file: where.file,
    line: where.lineOf(found.path),
    key: keyText(found.path),
    variable: found.variable,
  });
}

function typeError({ path, problem }: TypeIssue, { file, lineOf }: Validation): HermesError {
  // A missing key has no line; its parent does.
  const line = lineOf(path) ?? lineOf(path.slice(0, -1));
  return new HermesError("HERMES_CONFIG_TYPE", { file, line, key: keyText(path), problem });
}

interface TypeIssue {
  readonly path: KeyPath;
  readonly problem: string;
}

interface Issues {
  readonly unknown: readonly UnknownKey[];
  /** Names that only somebody who uses them complains about. */
  readonly late: readonly TypeIssue[];
}

interface UnknownKey {
  readonly path: KeyPath;
  readonly candidates: readonly string[];
}

interface Validation {
  readonly file: string;
  readonly unset: readonly Unset[];
  readonly lineOf: (path: KeyPath) => number | undefined;
}

/** Finds the unknown keys; throws HERMES_CONFIG_TYPE for the first value of a wrong type. */
async function validate(
  value: Record<string, unknown>,
  where: Validation,
): Promise<Pick<Config, "warnings" | "unusedKeys"> & Pick<Issues, "late">> {
  const known: ReadonlySet<string> = new Set(SECTION_NAMES);
  const all = Object.keys(value);
  const foreign = all.filter((name) => !known.has(name));
  const unknown = foreign.map((name): UnknownKey => ({ path: [name], candidates: SECTION_NAMES }));
  const names = all.filter((name) => known.has(name) && !PLAIN[name]?.(value[name]));
  const issues = names.length > 0 ? await findIssues(value, names, where) : { unknown: [], late: [] };
  return { ...(await sortUnknown([...unknown, ...issues.unknown], foreign, where)), late: issues.late };
}

async function findIssues(
  value: Record<string, unknown>,
  names: readonly string[],
  where: Validation,
): Promise<Issues> {
  const { findConfigIssues } = await import("./config-issues.ts");
  const checked = Object.fromEntries(names.map((name) => [name, value[name]]));
  const unknown: UnknownKey[] = [];
  const late: TypeIssue[] = [];
  for (const issue of findConfigIssues(checked)) {
    if (issue.kind === "unknown") unknown.push(issue);
    else if (where.unset.some((one) => keyText(one.path) === keyText(issue.path))) continue;
    else if (keyText(issue.path) === "model.provider" && isText(value, issue.path)) late.push(issue);
    else throw typeError(issue, where);
  }
  return { unknown, late };
}

function isText(value: unknown, path: KeyPath): boolean {
  const found = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
  return typeof found === "string";
}

/** Warnings for unknown keys, but for those of Hermes Agent, which may be many. */
async function sortUnknown(unknown: readonly UnknownKey[], sections: readonly string[], where: Validation) {
  const warnings: string[] = [];
  const unusedKeys: string[] = [];
  if (unknown.length === 0) return { warnings, unusedKeys };
  const { isKeyOfHermesAgent, isOfHermesAgent } = await import("./hermes-agent-keys.ts");
  const isOther = isOfHermesAgent(sections);
  for (const { path, candidates } of unknown) {
    const hint = didYouMean(String(path.at(-1)), candidates);
    if (isOther && isKeyOfHermesAgent(path, hint !== "")) unusedKeys.push(keyText(path));
    else warnings.push(unknownKey(path, hint, where));
  }
  return { warnings, unusedKeys };
}

function unknownKey(path: KeyPath, hint: string, { file, lineOf }: Validation): string {
  const line = lineOf(path);
  return `${file}${line === undefined ? "" : `:${line}`}: unknown key "${keyText(path)}", ignored.${hint}`;
}
