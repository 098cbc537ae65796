/** `hermes plugins update [NAME]` */
import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import { findChanges, readInstalled, type InstalledPlugin } from "#plugins/installed";
import type { CliContext } from "../context.ts";
import { interruptible } from "../shutdown.ts";
import { confirmationFor, type Confirm } from "../confirmation.ts";
import { describeForPerson, describePlugin, type DescribedPlugin } from "./describe.ts";
import { changeRecords, recordOf, type InstallOptions } from "./install.ts";
import { namedRecord } from "./named.ts";
import { parseSource } from "./source.ts";
import { openStaging, type StagedPlugin, type Staging } from "./staging.ts";

/** What became of one plugin. */
type Outcome =
  | { readonly kind: "updated"; readonly plugin: DescribedPlugin }
  | { readonly kind: "unchanged" | "declined" }
  | { readonly kind: "failed"; readonly problem: string };

interface Update {
  readonly directory: string;
  readonly record: InstalledPlugin;
  readonly plugins: string;
  readonly staging: Staging;
  readonly ref: string | undefined;
  readonly confirm: Confirm;
  readonly context: CliContext;
  readonly json: boolean;
}

/** Fetches one plugin again, or all that were installed, and replaces those that differ. One failure does not stop the rest. */
export async function updatePlugins(
  word: string | undefined,
  options: InstallOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const { plugins } = context.paths(command);
  const confirm = confirmationFor(options);
  const records = readInstalled(plugins);
  if (word === undefined && options.ref !== undefined) {
    throw new HermesError("HERMES_USAGE", { problem: "--ref needs the name of a plugin." });
  }
  const chosen = word === undefined ? Object.entries(records) : [namedRecord(records, word)];
  const json = options.json === true;
  const outcomes: { name: string; outcome: Outcome }[] = [];
  if (chosen.length > 0) {
    using staging = openStaging(plugins, context.env);
    for (const [directory, record] of chosen) {
      const update = { directory, record, plugins, staging, ref: options.ref, confirm, context, json };
      const outcome = await updateOrFail(update);
      outcomes.push({ name: record.name, outcome });
      if (!json) report(record.name, outcome, context);
    }
  }
  if (json) context.json(summaryOf(outcomes));
  else if (chosen.length === 0) context.out(`No plugin was installed with "hermes plugins install".`);
  if (outcomes.some(({ outcome: { kind } }) => kind === "failed" || kind === "declined")) context.exit(EXIT.failed);
}

async function updateOrFail(update: Update): Promise<Outcome> {
  try {
    return await updateOne(update);
  } catch (error) {
    if (!isHermesError(error) || error.code === "HERMES_INTERRUPTED") throw error;
    return { kind: "failed", problem: error.message };
  }
}

async function updateOne(update: Update): Promise<Outcome> {
  const { directory, record, plugins, staging, ref, confirm, context, json } = update;
  const source = parseSource(record.source, ref ?? record.ref, "/");
  const staged = await interruptible((signal) => staging.stage(source, signal));
  if (staged.manifest.name !== record.name) {
    const problem = `its name is now "${staged.manifest.name}". Remove it, and install that one.`;
    throw new HermesError("HERMES_PLUGIN_INSTALL", { source: record.name, problem });
  }
  const target = join(plugins, directory);
  const changes = findChanges(target, record);
  const next = recordOf(staged, source, record);
  if (changes.length === 0 && isSame(staged, record) && next.ref === record.ref) return { kind: "unchanged" };
  const plugin = describePlugin(directory, next, staged.manifest);
  if (!json) {
    const about = { env: context.env, files: Object.keys(staged.files).length, packages: staged.packages !== null };
    for (const line of describeForPerson(plugin, staged.manifest, about)) context.note(line);
    for (const line of differences(staged, record)) context.note(`  ${visible(line)}`);
    if (changes.length > 0) {
      context.note(`These changes in ${target} will be lost: ${visible(changes.join(", "))}`);
    }
  }
  if (!(await confirm(`Update ${visible(record.name)}?`))) return { kind: "declined" };
  await replaceFolder(target, staged.folder, staging.discarded(), () =>
    changeRecords(plugins, (records) => ({ ...records, [directory]: next })),
  );
  return { kind: "updated", plugin };
}

function isSame({ files, packages }: StagedPlugin, record: InstalledPlugin): boolean {
  const paths = Object.keys(files);
  return (
    packages === record.packages &&
    paths.length === Object.keys(record.files).length &&
    paths.every((path) => files[path] === record.files[path])
  );
}

/** What the update changes, as lines for a person. */
function differences({ files, packages }: StagedPlugin, record: InstalledPlugin): readonly string[] {
  const changed = Object.keys(files).filter(
    (path) => record.files[path] !== undefined && record.files[path] !== files[path],
  );
  const added = Object.keys(files).filter((path) => record.files[path] === undefined);
  const removed = Object.keys(record.files).filter((path) => files[path] === undefined);
  const line = (what: string, paths: readonly string[]) =>
    paths.length === 0
      ? []
      : [`${what}: ${paths.slice(0, MOST_PATHS).join(", ")}${paths.length > MOST_PATHS ? ", …" : ""}`];
  const other = packages === record.packages ? [] : ["changed: node_modules"];
  return [...line("changed", changed), ...line("new", added), ...line("removed", removed), ...other];
}

const MOST_PATHS = 20;

/** Swaps two folders; if anything fails, the old one is back. Throws HERMES_PLUGIN_WRITE and what `record` throws. */
async function replaceFolder(target: string, folder: string, old: string, record: () => Promise<void>): Promise<void> {
  const undo: (() => void)[] = [];
  try {
    move(target, old, undo);
    move(folder, target, undo);
    await record();
  } catch (error) {
    for (const back of undo.toReversed()) back();
    if (isHermesError(error)) throw error;
    throw new HermesError("HERMES_PLUGIN_WRITE", { path: target, problem: problemOf(error) }, { cause: error });
  }
}

/** Moves a folder. A missing one is no failure: its files are lost already. */
function move(from: string, to: string, undo: (() => void)[]): void {
  try {
    renameSync(from, to);
    undo.push(() => renameSync(to, from));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function report(name: string, outcome: Outcome, context: CliContext): void {
  const shown = visible(name);
  switch (outcome.kind) {
    case "unchanged":
      return context.out(`${shown} is up to date.`);
    case "declined":
      return context.note(`${shown} is not updated.`);
    case "failed":
      return context.note(`hermes: ${shown}: ${outcome.problem}`);
    case "updated": {
      const what = [outcome.plugin.version, outcome.plugin.resolved].filter((part) => part !== null).map(visible);
      context.out(`Updated ${shown}${what.length === 0 ? "" : `: ${what.join(", ")}`}`);
      context.note("If it is enabled, running processes use it after: hermes hooks reload");
    }
  }
}

function summaryOf(outcomes: readonly { readonly name: string; readonly outcome: Outcome }[]) {
  return {
    updated: outcomes.flatMap(({ outcome }) => (outcome.kind === "updated" ? [outcome.plugin] : [])),
    unchanged: outcomes.flatMap(({ name, outcome }) => (outcome.kind === "unchanged" ? [name] : [])),
    failed: outcomes.flatMap(({ name, outcome }) =>
      outcome.kind === "failed" ? [{ name, problem: outcome.problem }] : [],
    ),
  };
}
