import { HermesError } from "#core/errors";
import { didYouMean } from "#core/suggest";
import type { InstalledPlugin, InstalledPlugins } from "#plugins/installed";

/** The record of a plugin by its name or folder. Throws HERMES_PLUGIN_NOT_INSTALLED. */
export function namedRecord(records: InstalledPlugins, word: string): readonly [string, InstalledPlugin] {
  const entries = Object.entries(records);
  const found = entries.find(([directory, { name }]) => directory === word || name === word);
  if (found !== undefined) return found;
  const names = entries.flatMap(([directory, { name }]) => [directory, name]);
  throw new HermesError("HERMES_PLUGIN_NOT_INSTALLED", { plugin: word, hint: didYouMean(word, names) });
}
