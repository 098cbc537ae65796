/** `hermes plugins remove NAME` */
import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError, problemOf } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import { findChanges, readInstalled } from "#plugins/installed";
import type { CliContext } from "../context.ts";
import { editPluginLists } from "../plugin-lists.ts";
import { confirmationFor, type ConfirmationOptions } from "../confirmation.ts";
import { changeRecords } from "./install.ts";
import { namedRecord } from "./named.ts";
import { openStaging } from "./staging.ts";

/** Removes an installed plugin: its folder, its record, and its name in `plugins.enabled`. Its settings stay. */
export async function removePlugin(
  word: string,
  options: ConfirmationOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const paths = context.paths(command);
  const confirm = confirmationFor(options);
  const [directory, record] = namedRecord(readInstalled(paths.plugins), word);
  const config = await loadConfig(paths, context.env);
  const folder = join(paths.plugins, directory);
  const changes = findChanges(folder, record).filter((clause) => clause !== "its folder is missing");
  if (changes.length > 0 && options.json !== true) {
    context.note(`These changes will be lost: ${visible(changes.join(", "))}`);
  }
  if (!(await confirm(`Remove ${folder}?`))) {
    context.note("Nothing is removed.");
    return context.exit(EXIT.failed);
  }
  // First of all it is switched off: a failure after that leaves nothing that runs.
  await switchOff([record.name, directory], config);
  using staging = openStaging(paths.plugins, context.env);
  try {
    renameSync(folder, staging.discarded());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new HermesError("HERMES_PLUGIN_WRITE", { path: folder, problem: problemOf(error) }, { cause: error });
    }
  }
  await changeRecords(paths.plugins, ({ [directory]: _gone, ...others }) => others);
  if (options.json === true) return context.json({ removed: { name: record.name, directory } });
  context.out(`Removed ${folder}`);
  context.note("If it was enabled, running processes drop it after: hermes hooks reload");
}

async function switchOff(names: readonly string[], { file, values }: Config): Promise<void> {
  if (file === null || !values.plugins.enabled.some((word) => names.includes(word))) return;
  await editPluginLists(file, { remove: names, from: "enabled" });
}
