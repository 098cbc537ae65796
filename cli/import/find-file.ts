/** Finds the settings file in a folder that the user gave in its place. */
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { HermesError } from "#core/errors";
import { isMapping } from "#core/mapping";
import type { ProgramReader } from "./program-reader.ts";
import { eventsIn, READERS } from "./readers.ts";
import { readSettingsFile } from "./settings-file.ts";
import type { ImportableProgram } from "./options.ts";

/**
 * The file, or the only one with hooks in the folder of a project, of a program or of a plugin. Throws
 * HERMES_IMPORT_MISSING when there is none, and HERMES_USAGE when there are several.
 */
export async function findSettingsFile(path: string, from: ImportableProgram | undefined): Promise<string> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const readers = Object.values(READERS).filter(({ name }) => from === undefined || name === from);
  const candidates = new Set(readers.flatMap((reader) => filesIn(path, reader)));
  const withHooks: string[] = [];
  for (const file of candidates) if (await hasHooks(file)) withHooks.push(file);
  const [first, ...others] = withHooks;
  if (first === undefined) {
    throw new HermesError("HERMES_IMPORT_MISSING", {
      problem: `There are no hook settings in ${path}. Expected one of ${readers.flatMap(({ files }) => files).join(", ")}.`,
    });
  }
  if (others.length === 0) return first;
  throw new HermesError("HERMES_USAGE", {
    problem: `There are hook settings in ${withHooks.length} files. Import one at a time: ${withHooks.join(", ")}.`,
  });
}

/** The reader's files that exist, also when the folder is one on the way to them. */
function filesIn(folder: string, { files }: ProgramReader): readonly string[] {
  return files.flatMap((pattern) => {
    const inside = withoutFolders(pattern, folder);
    if (!inside.endsWith("*.json")) return isFile(join(folder, inside)) ? [join(folder, inside)] : [];
    const parent = join(folder, inside.slice(0, -"*.json".length));
    if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return [];
    return readdirSync(parent)
      .filter((name) => name.endsWith(".json"))
      .toSorted()
      .map((name) => join(parent, name));
  });
}

/** `.github/hooks/*.json` in a folder `.github` is `hooks/*.json`, and in `.github/hooks` it is `*.json`. */
function withoutFolders(pattern: string, folder: string): string {
  const names = pattern.split("/");
  const path = resolve(folder);
  const known = names
    .slice(0, -1)
    .findLastIndex((_, index) => path.endsWith(`/${names.slice(0, index + 1).join("/")}`));
  return names.slice(known + 1).join("/");
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

async function hasHooks(file: string): Promise<boolean> {
  try {
    const events = eventsIn((await readSettingsFile(file)).value);
    return isMapping(events) && Object.keys(events).length > 0;
  } catch {
    // The import of this file says what is wrong with it.
    return true;
  }
}
