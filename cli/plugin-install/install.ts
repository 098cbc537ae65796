/** `hermes plugins install SOURCE` */
import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "#cli/command-line/command";
import { withLock } from "#allowlist/lock";
import { EXIT, HermesError, problemOf } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import { ensureFolder } from "#core/home/paths";
import { discoverPlugins } from "#plugins/discover";
import {
  readInstalled,
  recordsFile,
  writeInstalled,
  type InstalledPlugin,
  type InstalledPlugins,
} from "#plugins/installed";
import type { CliContext } from "../context.ts";
import { interruptible } from "../shutdown.ts";
import { confirmationFor, type ConfirmationOptions } from "../confirmation.ts";
import { describeForPerson, describePlugin } from "./describe.ts";
import { parseSource, refOf, shownSource, sourceText, type PluginSource } from "./source.ts";
import { openStaging, type StagedPlugin } from "./staging.ts";

export interface InstallOptions extends ConfirmationOptions {
  readonly ref?: string;
}

/** Installs a plugin and enables nothing. A failure leaves `plugins/` as it was. */
export async function installPlugin(
  word: string,
  options: InstallOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const { plugins } = context.paths(command);
  const confirm = confirmationFor(options);
  const source = parseSource(word, options.ref ?? null, process.cwd());
  const config = await loadConfig(context.paths(command), context.env);
  readInstalled(plugins);
  using staging = openStaging(plugins, context.env);
  const staged = await interruptible((signal) => staging.stage(source, signal));
  const directory = directoryFor(staged, source);
  const target = join(plugins, directory);
  await refuseTaken({ name: staged.manifest.name, directory, target, source }, config, plugins);
  const record = recordOf(staged, source, undefined);
  const described = describePlugin(directory, record, staged.manifest);
  if (options.json !== true) {
    const about = { env: context.env, files: Object.keys(staged.files).length, packages: staged.packages !== null };
    for (const line of describeForPerson(described, staged.manifest, about)) context.note(line);
    context.note("A plugin runs inside hermes, with your rights. Nothing of it has run yet.");
  }
  if (!(await confirm("Install it?"))) {
    context.note("Nothing is installed.");
    return context.exit(EXIT.failed);
  }
  await moveInto(target, staged.folder, () =>
    changeRecords(plugins, (records) => ({ ...records, [directory]: record })),
  );
  if (options.json === true) return context.json({ installed: described });
  context.out(`Installed ${target}`);
  context.note(`Read its code, then enable it: hermes plugins enable ${directory}`);
}

/** The record of what was staged; `before` is the one that it replaces. */
export function recordOf(
  staged: StagedPlugin,
  source: PluginSource,
  before: InstalledPlugin | undefined,
): InstalledPlugin {
  const now = new Date().toISOString();
  const { manifest, resolved, files, packages } = staged;
  return {
    name: manifest.name,
    version: manifest.version ?? null,
    source: sourceText(source),
    ref: refOf(source),
    resolved,
    installed_at: before?.installed_at ?? now,
    updated_at: now,
    files,
    packages,
  };
}

/** Changes the records while no other process does. Throws HERMES_ALLOWLIST_LOCKED and HERMES_PLUGIN_RECORDS. */
export async function changeRecords(
  plugins: string,
  change: (records: InstalledPlugins) => InstalledPlugins,
): Promise<void> {
  ensureFolder(plugins);
  await withLock(recordsFile(plugins), (isOurs) => {
    const records = change(readInstalled(plugins));
    isOurs();
    writeInstalled(plugins, records);
  });
}

/** Moves a folder to its place; if `record` fails, it is gone again. Throws HERMES_PLUGIN_WRITE and what `record` throws. */
async function moveInto(target: string, folder: string, record: () => Promise<void>): Promise<void> {
  try {
    renameSync(folder, target);
  } catch (error) {
    throw new HermesError("HERMES_PLUGIN_WRITE", { path: target, problem: problemOf(error) }, { cause: error });
  }
  try {
    await record();
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

/** A folder's name from the plugin's name, else from the source's. */
function directoryFor({ manifest }: StagedPlugin, source: PluginSource): string {
  const word = source.kind === "npm" ? source.name : source.kind === "git" ? source.url : source.path;
  const names = [manifest.name, basename(word).replace(/\.git$/, "")].map((name) =>
    name.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^[-_]+|-+$/g, ""),
  );
  return names.find((name) => name !== "")?.slice(0, 64) ?? "plugin";
}

interface Wanted {
  readonly name: string;
  readonly directory: string;
  readonly target: string;
  readonly source: PluginSource;
}

/** Another plugin's place or name, or a name that the configuration enables already: it would load unseen. */
async function refuseTaken(
  { name, directory, target, source }: Wanted,
  config: Config,
  plugins: string,
): Promise<void> {
  if (existsSync(target)) throw new HermesError("HERMES_PLUGIN_EXISTS", { path: target });
  const refuse = (problem: string) =>
    new HermesError("HERMES_PLUGIN_INSTALL", { source: shownSource(sourceText(source)), problem });
  const { plugins: others } = await discoverPlugins(plugins, config.values.plugins);
  const namesake = others.find((other) =>
    [other.name, other.directory].some((each) => each === name || each === directory),
  );
  if (namesake !== undefined) throw refuse(`there is a plugin "${name}" already, in ${namesake.folder}.`);
  const enabled = config.values.plugins.enabled.find((word) => word === name || word === directory);
  if (enabled === undefined) return;
  throw refuse(`config.yaml enables "${enabled}" already. Run first: hermes plugins disable ${enabled}`);
}
