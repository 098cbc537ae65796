/** Prepares a plugin in a hidden folder of `plugins/`, from where one rename puts it in its place. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { isAlive } from "#core/process-identity";
import { BUILTIN_DIRECTORY } from "#plugins/builtin";
import { discoverPlugins, type FoundPlugin } from "#plugins/discover";
import { filesBelow, hashFolder, type FolderHashes } from "#plugins/installed";
import type { Manifest } from "#plugins/manifest";
import { fetchPlugin } from "./fetch.ts";
import { shownSource, sourceText, type PluginSource } from "./source.ts";

/** A plugin that is ready to be moved to its place. */
export interface StagedPlugin extends FolderHashes {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly resolved: string | null;
}

export interface Staging extends Disposable {
  /** Fetches and examines a plugin. Throws HERMES_PLUGIN_INSTALL and HERMES_INTERRUPTED. */
  stage(source: PluginSource, signal: AbortSignal): Promise<StagedPlugin>;
  /** A path in the hidden folder for what is to be deleted. */
  discarded(): string;
}

const PREFIX = ".install-";
const NOTHING_ENABLED = { enabled: [], disabled: [] };

/** Opens a staging folder, which is removed with all in it at the end. Throws HERMES_PLUGIN_WRITE. */
export function openStaging(plugins: string, env: NodeJS.ProcessEnv): Staging {
  const isNew = !existsSync(plugins);
  const root = join(plugins, `${PREFIX}${process.pid}-${randomBytes(6).toString("hex")}`);
  try {
    ensureFolder(plugins);
    removeLeftBehind(plugins);
    mkdirSync(root, { mode: 0o700 });
  } catch (error) {
    throw new HermesError("HERMES_PLUGIN_WRITE", { path: root, problem: problemOf(error) }, { cause: error });
  }
  let count = 0;
  return {
    async stage(source, signal) {
      const place = join(root, String(count++));
      const parent = join(place, "new");
      const scratch = join(place, "scratch");
      for (const each of [place, parent, scratch]) mkdirSync(each, { mode: 0o700 });
      const folder = join(parent, "plugin");
      const resolved = await fetchPlugin(source, { scratch, folder, env, signal });
      try {
        makePrivate(folder);
        const manifest = await examine(parent, folder);
        return { folder, manifest, resolved, ...hashFolder(folder) };
      } catch (error) {
        const problem = problemOf(error).replaceAll(`${folder}${sep}`, "").replaceAll(folder, "it");
        throw new HermesError("HERMES_PLUGIN_INSTALL", { source: shownSource(sourceText(source)), problem });
      }
    },
    discarded: () => join(root, `old-${count++}`),
    [Symbol.dispose]() {
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
      if (isNew && readdirSync(plugins).length === 0) rmdirSync(plugins);
    },
  };
}

/** What killed processes have left. */
function removeLeftBehind(plugins: string): void {
  for (const name of readdirSync(plugins).filter((each) => each.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split("-", 1)[0]);
    if (!isAlive(pid, null)) rmSync(join(plugins, name), { recursive: true, force: true });
  }
}

/** Nobody else may write the files. A link may not lead out of the folder: nothing would notice a change there. */
function makePrivate(folder: string): void {
  const real = realpathSync(folder);
  for (const path of filesBelow(folder)) {
    const file = join(folder, path);
    const { mode } = lstatSync(file);
    if (!lstatSync(file).isSymbolicLink()) chmodSync(file, mode & 0o755);
    else if (!isInside(file, real)) throw new Error(`${path} is a link that leads out of its folder or nowhere.`);
  }
  const folders = new Set(filesBelow(folder).flatMap((path) => parentsOf(path)));
  for (const path of ["", ...folders]) chmodSync(join(folder, path), 0o755);
}

function isInside(link: string, folder: string): boolean {
  try {
    return realpathSync(link).startsWith(`${folder}${sep}`);
  } catch {
    // It leads nowhere, or in circles.
    return false;
  }
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Reads the manifest, and finds the entry; runs nothing. Throws with the reason why it is no plugin. */
async function examine(parent: string, folder: string): Promise<Manifest> {
  const { plugins } = await discoverPlugins(parent, NOTHING_ENABLED);
  const found: FoundPlugin | undefined = plugins.find(
    ({ directory }) => directory === basename(folder) && directory !== BUILTIN_DIRECTORY,
  );
  if (found?.manifest === undefined || found.error !== undefined) throw new Error(found?.error ?? "it is no plugin.");
  return found.manifest;
}
