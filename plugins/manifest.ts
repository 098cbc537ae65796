/** Reads `plugin.yaml`. Unknown keys cause warnings, invalid ones errors with file and line. */
import { parseManifestText, type ManifestFormat, type ManifestReader } from "#core/extensions/manifest";

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

const NAME_EXAMPLE = 'the plugin\'s name, such as "my-plugin"';

export const PLUGIN_FORMAT: ManifestFormat<Manifest> = {
  code: "HERMES_PLUGIN_MANIFEST",
  example: "name: my-plugin",
  interpret(reader) {
    const name = reader.name(NAME_EXAMPLE);
    if (name === undefined) throw reader.wrong(["name"], `expected ${NAME_EXAMPLE}`);
    return {
      name,
      version: reader.text("version"),
      description: reader.text("description"),
      author: reader.text("author"),
      requiresEnv: readNames(reader, "requires_env"),
      providesHooks: readNames(reader, "provides_hooks"),
      providesTools: readNames(reader, "provides_tools"),
      requiresPlugins: readNames(reader, "requires_plugins"),
    };
  },
};

/** Which of the required variables are missing, as a clause; undefined when none is. An empty variable is missing. */
export function environmentProblem(manifest: Manifest | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const missing = (manifest?.requiresEnv ?? []).filter((name) => !env[name]);
  if (missing.length === 0) return undefined;
  return `it needs ${missing.join(", ")} in the environment (requires_env in its plugin.yaml).`;
}

/** Parses the text of a manifest; `file` is what errors name. Throws HERMES_PLUGIN_MANIFEST with file and line. */
export function parseManifest(text: string, file: string): Promise<Manifest> {
  return parseManifestText(text, file, PLUGIN_FORMAT);
}

/** A list of names, or a single one; `{name: X, …}` is read as X. */
function readNames(reader: ManifestReader, key: string): readonly string[] {
  const found = reader.given(key) ?? [];
  return (Array.isArray(found) ? (found as unknown[]) : [found]).map((item) => {
    const name = typeof item === "object" && item !== null ? (item as { name?: unknown }).name : item;
    if (typeof name !== "string" || name === "") throw reader.wrong([key], "expected a list of names");
    return name;
  });
}
