/** The folders that a settings file belongs to: those that its commands name, and where they start. */
import { basename, dirname, resolve } from "node:path";
import type { ProgramReader } from "./program-reader.ts";

export interface SettingsFolders {
  /** The project of the settings; null for the user's own and for a plugin's, which are for every project. */
  readonly project: string | null;
  /** The plugin or extension that the settings are part of; null for others. */
  readonly plugin: string | null;
  /** Where relative paths in commands start; null for the folder that the program is run in. */
  readonly base: string | null;
}

/** Finds them by the file's path; `home` is the user's. */
export function findFolders(file: string, reader: ProgramReader, home: string): SettingsFolders {
  const folder = dirname(resolve(file));
  const above = dirname(folder);
  if (basename(folder) === reader.folder) {
    if (above === home) return { project: null, plugin: null, base: reader.startsInFolder ? folder : null };
    return { project: above, plugin: null, base: above };
  }
  if (basename(folder) === "hooks") {
    if (basename(above) === reader.folder) return { project: dirname(above), plugin: null, base: dirname(above) };
    return { project: null, plugin: above, base: null };
  }
  return { project: folder, plugin: folder, base: folder };
}

/** The values of the variables that name these folders. */
export function variablesOf(
  { project, plugin }: SettingsFolders,
  { program, pluginVariables }: ProgramReader,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>([["/", "/"]]);
  if (project !== null) for (const name of [...program.projectVariables, "workspacePath"]) values.set(name, project);
  if (plugin !== null) for (const name of pluginVariables) values.set(name, plugin);
  return values;
}
