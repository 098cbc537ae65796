/** Compares the installed plugins with what came when they were installed. */
import { join } from "node:path";
import { visible } from "#allowlist/visible";
import { isHermesError } from "#core/errors";
import { findChanges, readInstalled } from "#plugins/installed";
import { shownSource } from "./source.ts";

/** Where a plugin came from, as `plugins list --json` has it. */
export interface ExaminedPlugin {
  readonly source: string;
  readonly version: string | null;
  readonly resolved: string | null;
  /** How its files differ from what was installed, as clauses. */
  readonly changed: readonly string[];
}

export interface Examined {
  /** By folder below `plugins/`. */
  readonly installed: ReadonlyMap<string, ExaminedPlugin>;
  /** A sentence for each plugin that differs, or for records that cannot be read. */
  readonly problems: readonly string[];
}

/** Reads the files of all installed plugins. Never throws. */
export function examineInstalled(plugins: string): Examined {
  const installed = new Map<string, ExaminedPlugin>();
  const problems: string[] = [];
  let records;
  try {
    records = readInstalled(plugins);
  } catch (error) {
    if (!isHermesError(error)) throw error;
    return { installed, problems: [error.message] };
  }
  for (const [directory, record] of Object.entries(records)) {
    const changed = findChanges(join(plugins, directory), record);
    const { source, version, resolved, name } = record;
    installed.set(directory, { source: shownSource(source), version, resolved, changed });
    if (changed.length === 0) continue;
    problems.push(
      `plugin "${visible(name)}" is not as it was installed: ${visible(changed.join(", "))}. To restore it, run: hermes plugins update ${visible(directory)}`,
    );
  }
  return { installed, problems };
}
