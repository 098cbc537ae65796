/** Folders with settings of other programs, as those programs expect them. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { convertSettings, type ImportedHooks } from "#cli/import/convert";
import { recognise } from "#cli/import/readers";
import { readSettingsFile } from "#cli/import/settings-file";

const fixtures = resolve(import.meta.dirname, "../fixtures/imports");

/** Where each fixture's program has its settings in a project. */
export const SETTINGS = {
  "claude.json": ".claude/settings.json",
  "codex.toml": ".codex/config.toml",
  "gemini.json": ".gemini/settings.json",
  "cursor.json": ".cursor/hooks.json",
  "copilot.json": ".github/hooks/guards.json",
} as const;

/** Puts a fixture where its program expects it in the project; gives its path. */
export function placeSettings(project: string, fixture: keyof typeof SETTINGS): string {
  const file = join(project, SETTINGS[fixture]);
  mkdirSync(dirname(file), { recursive: true });
  cpSync(join(fixtures, fixture), file);
  return file;
}

/** Writes a settings file; gives its path. */
export function writeSettings(project: string, path: string, settings: unknown): string {
  const file = join(project, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof settings === "string" ? settings : JSON.stringify(settings));
  return file;
}

/** Converts a file of a program that it shows itself. */
export async function convertFile(
  file: string,
  home = "/the/home",
): Promise<ImportedHooks & { readonly program: string }> {
  const settings = await readSettingsFile(file);
  const reader = recognise(file, settings.value);
  if (reader === undefined) throw new Error(`${file} shows no program`);
  return { ...convertSettings(settings, reader, home), program: reader.name };
}
