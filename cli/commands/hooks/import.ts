/** `hermes hooks import`: another program's hook settings as a `hooks:` block, and what of them cannot be converted. */
import { resolve } from "node:path";
import type { Command } from "#cli/command-line/command";
import type { CliContext } from "#cli/context";
import { convertSettings, type ImportedHooks, type ImportRemark } from "#cli/import/convert";
import { findSettingsFile } from "#cli/import/find-file";
import type { ImportOptions } from "#cli/import/options";
import type { ProgramReader } from "#cli/import/program-reader";
import { eventsIn, READERS, recognise } from "#cli/import/readers";
import { readSettingsFile, type SettingsFile } from "#cli/import/settings-file";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError } from "#core/errors";
import { loadConfig } from "#core/home/config";
import { userHome } from "#core/home/paths";

/** What was written to the configuration. */
interface Written {
  readonly config: string;
  readonly added: number;
}

/**
 * Prints the block on standard output and the rest on standard error; exits with 1 when nothing of the file could be
 * converted. Throws HERMES_IMPORT_MISSING, HERMES_IMPORT_INVALID, HERMES_USAGE, HERMES_CONFIG_*.
 */
export async function importHooks(
  path: string,
  { from, write, json }: ImportOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const file = await findSettingsFile(path, from);
  const settings = await readSettingsFile(file);
  const reader = from === undefined ? recogniseOrThrow(settings) : READERS[from];
  demandHooks(settings);
  const imported = convertSettings(settings, reader, userHome(context.env));
  const written = write ? await writeHooks(imported, command, context) : null;
  if (json) context.json(documentOf(settings, reader, imported, written));
  else await printImport({ settings, reader, imported, written, isFound: file !== path }, context);
  if (imported.found > 0 && count(imported) === 0) context.exit(EXIT.failed);
}

function recogniseOrThrow(settings: SettingsFile): ProgramReader {
  const reader = recognise(settings.file, settings.value);
  if (reader !== undefined) return reader;
  const programs = Object.keys(READERS).join("|");
  throw new HermesError("HERMES_USAGE", {
    problem: `${settings.file} does not show which program its hooks are for. Use --from ${programs}.`,
  });
}

function demandHooks({ file, value, placeOf }: SettingsFile): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const { hooks } = value as { readonly hooks?: unknown };
    if (hooks === undefined || hooks === null || eventsIn(value) !== undefined) return;
    const place = placeOf(["hooks"]);
    const where = place === null ? {} : { line: place.line, column: place.column };
    throw new HermesError("HERMES_IMPORT_INVALID", { file, ...where, problem: '"hooks" must be an object of events' });
  }
  throw new HermesError("HERMES_IMPORT_INVALID", {
    file,
    line: 1,
    column: 1,
    problem: "an object of settings was expected",
  });
}

async function writeHooks(imported: ImportedHooks, command: Command, context: CliContext): Promise<Written> {
  const { addToConfig, withoutConfigured } = await import("#cli/import/write");
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const fresh = withoutConfigured(imported.hooks, config.values.hooks);
  const added = Object.values(fresh).reduce((sum, entries) => sum + entries.length, 0);
  if (added > 0) await addToConfig(paths.config, fresh);
  return { config: paths.config, added };
}

function documentOf(
  settings: SettingsFile,
  reader: ProgramReader,
  imported: ImportedHooks,
  written: Written | null,
): object {
  const of = (isImported: boolean) =>
    imported.remarks.filter((each) => each.imported === isImported).map(({ imported: _shown, ...remark }) => remark);
  return {
    file: resolve(settings.file),
    program: reader.name,
    hooks: imported.hooks,
    skipped: of(false),
    notes: of(true),
    written,
  };
}

interface Printed {
  readonly settings: SettingsFile;
  readonly reader: ProgramReader;
  readonly imported: ImportedHooks;
  readonly written: Written | null;
  /** True when the user gave the folder. */
  readonly isFound: boolean;
}

async function printImport(
  { settings, reader, imported, written, isFound }: Printed,
  context: CliContext,
): Promise<void> {
  const { stringify } = await import("yaml");
  const { owner } = reader.program;
  if (isFound) context.note(`Reading ${visible(settings.file)} (${owner}).`);
  context.out(stringify({ hooks: imported.hooks }, { lineWidth: 0 }));
  for (const remark of imported.remarks) context.note(describe(settings.file, remark));
  const [all, left] = [count(imported), imported.found - count(imported)];
  if (imported.found === 0)
    context.note(`There are no hooks of ${owner} in ${visible(settings.file)} that could be converted.`);
  else
    context.note(
      `${all} of ${imported.found} ${imported.found === 1 ? "hook" : "hooks"} converted${left === 0 ? "" : `, ${left} not (see above)`}.`,
    );
  if (imported.project !== null && all > 0) {
    context.note(`They were written for ${visible(imported.project)}. In hermes, they run in every folder.`);
  }
  if (written !== null) noteWritten(written, all, context);
  else if (all > 0) context.note("To add them to config.yaml, run this again with --write.");
}

function noteWritten({ config, added }: Written, all: number, context: CliContext): void {
  const present = all - added === 0 ? "" : ` ${all - added} were there already.`;
  if (added === 0) return context.note(`Nothing was added to ${config}.${present}`);
  context.note(`${added} ${added === 1 ? "hook" : "hooks"} added to ${config}.${present}`);
  context.note("Nothing is approved yet. To check the hooks, run: hermes hooks doctor");
  context.note("To approve all configured hooks, run: hermes hooks allow --all");
}

function describe(file: string, { line, column, key, problem }: ImportRemark): string {
  const place = line === null ? "" : `:${line}:${column}`;
  return visible(`${file}${place}: ${key === "" ? "" : `${key}: `}${problem}`);
}

function count({ hooks }: ImportedHooks): number {
  return Object.values(hooks).reduce((sum, entries) => sum + entries.length, 0);
}
