/** `plugin.yaml`: what a plugin says about itself. Unknown keys are no fault, wrong ones are named with file and line. */
import { readFileSync } from "node:fs";
import { HermesError, problemOf } from "#core/errors";
import { parseYaml, type YamlDocument } from "#core/yaml-document";

export interface Manifest {
  readonly name: string;
  readonly version: string | undefined;
  readonly description: string | undefined;
  readonly author: string | undefined;
  readonly requiresEnv: readonly string[];
  readonly providesHooks: readonly string[];
  readonly providesTools: readonly string[];
  readonly requiresPlugins: readonly string[];
}

/** Far more than any manifest holds; a bigger file is something else. */
const MOST_BYTES = 256 * 1024;

/** Names go into log lines, warnings and `config.yaml`: one printable line. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@/-]{0,99}$/u;

/** Reads a manifest. Throws HERMES_PLUGIN_MANIFEST with file and line. */
export async function readManifest(file: string): Promise<Manifest> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new HermesError("HERMES_PLUGIN_MANIFEST", { file, problem: `cannot be read: ${problemOf(error)}` });
  }
  return parseManifest(text, file);
}

/** Parses the text of a manifest; `file` is what errors name. Throws HERMES_PLUGIN_MANIFEST with file and line. */
export async function parseManifest(text: string, file: string): Promise<Manifest> {
  if (text.length > MOST_BYTES) {
    throw new HermesError("HERMES_PLUGIN_MANIFEST", { file, problem: `is too big (over ${MOST_BYTES} characters)` });
  }
  const { value, lineOf } = await parseYaml(text, ({ line, problem, cause }) => {
    return new HermesError("HERMES_PLUGIN_MANIFEST", { file, line, problem: `not valid YAML: ${problem}` }, { cause });
  });
  return interpret(value, file, lineOf);
}

function interpret(value: unknown, file: string, lineOf: YamlDocument["lineOf"]): Manifest {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HermesError("HERMES_PLUGIN_MANIFEST", {
      file,
      line: 1,
      problem: 'expected keys such as "name: my-plugin"',
    });
  }
  const keys = value as Readonly<Record<string, unknown>>;

  function wrong(key: string, expected: string): HermesError {
    const found = keys[key] === undefined ? "is missing" : `is ${shown(keys[key])}`;
    const line = keys[key] === undefined ? undefined : lineOf([key]);
    return new HermesError("HERMES_PLUGIN_MANIFEST", { file, line, key, problem: `${found}; expected ${expected}` });
  }

  /** Text, or a number that YAML made of it (`version: 1.0`). */
  function text(key: string): string | undefined {
    const found = keys[key];
    if (found === undefined || found === null) return undefined;
    if (typeof found === "string") return found;
    if (typeof found === "number") return String(found);
    throw wrong(key, "text");
  }

  /** A list of names, or a single one; `{name: X, …}` stands for X. */
  function names(key: string): readonly string[] {
    const found = keys[key];
    if (found === undefined || found === null) return [];
    return (Array.isArray(found) ? (found as unknown[]) : [found]).map((item) => {
      const name = typeof item === "object" && item !== null ? (item as { name?: unknown }).name : item;
      if (typeof name !== "string" || name === "") throw wrong(key, "a list of names");
      return name;
    });
  }

  const name = text("name")?.trim();
  if (name === undefined || !NAME.test(name)) throw wrong("name", 'the plugin\'s name, such as "my-plugin"');
  return {
    name,
    version: text("version"),
    description: text("description"),
    author: text("author"),
    requiresEnv: names("requires_env"),
    providesHooks: names("provides_hooks"),
    providesTools: names("provides_tools"),
    requiresPlugins: names("requires_plugins"),
  };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
