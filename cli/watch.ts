/** Watches a home: what changes in its configuration, its hooks and its plugins is taken over without a word. */
import { basename, extname, join, relative, sep } from "node:path";
import type { Stats } from "node:fs";
import { problemOf } from "#core/errors";
import { findImportedJson, isForeignFolder, isSource } from "#core/extensions/fingerprint";
import type { HomePaths } from "#core/home/paths";
import { BUILTIN_DIRECTORY } from "#plugins/builtin";
import type { Host } from "./host/host.ts";

interface WatchOptions {
  readonly paths: Pick<HomePaths, "home" | "config" | "fallbackConfig" | "hooks" | "plugins">;
  /** Folders below `plugins/` that are watched completely; of the others only the manifest is watched. */
  readonly plugins: ReadonlySet<string>;
  /** Called when changes have come to rest, and once when the watch has begun: nobody saw what came before. */
  readonly onChange: () => void;
  /** Takes a sentence about what cannot be watched; what can be is. */
  readonly onError: (sentence: string) => void;
}

/** A save is often several changes: they are one when this much time passes after the last of them. */
const QUIET_MS = 150;
/** Changes that never rest are taken over all the same. */
const LONGEST_MS = 1000;
const DEEPEST = 8;
/** Files and folders below `hooks/` and `plugins/`. Each costs memory, each folder a watch of the system's. */
const MOST_WATCHED = 5000;

/**
 * Watches until the returned function is called. What is missing is watched for; links are followed, circles of them
 * once. Data files (whatever is no code, no YAML and no JSON that code imports), packages, hidden and temporary files do
 * not count.
 */
async function watchHome(options: WatchOptions): Promise<() => Promise<void>> {
  const { watch } = await import("chokidar");
  const filter = createFilter(options);
  const debounce = createDebounce(() => {
    // Code that has changed may import other data.
    watcher.add(filter.refreshImports());
    options.onChange();
  });
  const said = new Set<string>();
  const watcher = watch(options.paths.home, {
    depth: DEEPEST,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    // What keeps the program alive is not the watch.
    persistent: false,
    ignored: (path, stats) => !filter.admits(path, stats),
  });
  watcher.on("all", (event, path) => {
    if (event.startsWith("unlink")) filter.forget(path);
    if (event.endsWith("Dir") || filter.notice(path)) debounce.trigger();
  });
  watcher.on("error", (error) => {
    const sentence = `not all of ${options.paths.home} can be watched: ${problemOf(error)}`;
    if (!said.has(sentence)) options.onError(sentence);
    said.add(sentence);
  });
  await new Promise<void>((resolve) => void watcher.once("ready", resolve));
  debounce.trigger();
  return async () => {
    debounce.stop();
    await watcher.close();
  };
}

/**
 * Reloads the host whenever its home changes, until the returned function is called. What reloading says is said by
 * the host itself.
 */
export async function watchHost(host: Host): Promise<() => Promise<void>> {
  const { paths, log, warn } = host;
  const onError = (sentence: string): void => {
    log.warn(sentence);
    warn(sentence);
  };
  const open = (plugins: ReadonlySet<string>) =>
    watchHome({ paths, plugins, onChange: () => void host.reload(), onError });
  let watched = watchedPlugins(host);
  let close = await open(watched);
  const undo = host.onReload(async () => {
    const wanted = watchedPlugins(host);
    if (wanted.symmetricDifference(watched).size === 0) return;
    watched = wanted;
    // The new watch begins before the old one ends, so that no change falls between them.
    const closeOld = close;
    close = await open(wanted);
    await closeOld();
  });
  return async () => {
    undo();
    await close();
  };
}

function watchedPlugins(host: Host): ReadonlySet<string> {
  const wanted = host.plugins.list().filter(({ state }) => state === "enabled" || state === "error");
  return new Set(wanted.map(({ directory }) => directory).filter((name) => name !== BUILTIN_DIRECTORY));
}

/** Says which paths are looked at. Asked for each path more than once, at first without its kind. */
function createFilter({ paths, plugins, onError }: WatchOptions) {
  const { home } = paths;
  const [hooksName, pluginsName] = [basename(paths.hooks), basename(paths.plugins)];
  const configs = new Set([basename(paths.config), basename(paths.fallbackConfig)]);
  const admitted = new Set<string>();
  /** The JSON files that the code of an extension imports, by its folder; read when first asked for. */
  const imports = new Map<string, ReadonlySet<string>>();
  /** Folders whose code has changed since. */
  const stale = new Set<string>();
  let isFull = false;

  function admits(path: string, stats: Stats | undefined): boolean {
    const [top = "", ...below] = relative(home, path).split(sep);
    if (top === "" || configs.has(top)) return true;
    if (top !== hooksName && top !== pluginsName) return false;
    if (below.length === 0) return true;
    if (below.some(isForeignFolder)) return false;
    const [folder = "", file] = below;
    if (top === pluginsName && !plugins.has(folder) && file !== undefined && file !== MANIFEST) return false;
    if (stats?.isFile() === true && !counts(path)) return false;
    return hasRoom(path);
  }

  /** True for a file whose change is worth a reload. */
  function counts(path: string): boolean {
    return isSource(path) || (extname(path) === ".json" && importsOf(folderOf(path)).has(path));
  }

  function importsOf(folder: string): ReadonlySet<string> {
    let known = imports.get(folder);
    if (known === undefined) imports.set(folder, (known = findImportedJson(folder)));
    return known;
  }

  /** The folder of the extension that a file belongs to. */
  function folderOf(path: string): string {
    return join(home, ...relative(home, path).split(sep).slice(0, 2));
  }

  function hasRoom(path: string): boolean {
    if (admitted.has(path)) return true;
    if (admitted.size < MOST_WATCHED) {
      admitted.add(path);
      return true;
    }
    if (!isFull) {
      const most = `${MOST_WATCHED} files and folders in ${join(home, hooksName)} and ${join(home, pluginsName)}`;
      onError(`only ${most} are watched. Run "hermes hooks reload" to apply changes to the others.`);
    }
    isFull = true;
    return false;
  }

  return {
    admits,
    /** Takes note of a changed file; true when its change is worth a reload. */
    notice(path: string): boolean {
      if (isSource(path)) stale.add(folderOf(path));
      return counts(path);
    },
    /** Reads again what changed code imports; gives the JSON files to watch from now on. */
    refreshImports(): string[] {
      const folders = [...stale];
      stale.clear();
      for (const folder of folders) imports.delete(folder);
      return folders.flatMap((folder) => [...importsOf(folder)]);
    },
    forget: (path: string) => void admitted.delete(path),
  };
}

const MANIFEST = "plugin.yaml";

/** Calls `act` once after triggers have ceased, or have gone on for too long. */
function createDebounce(act: () => void) {
  let timer: NodeJS.Timeout | undefined;
  let since: number | undefined;

  function trigger(): void {
    const now = performance.now();
    since ??= now;
    clearTimeout(timer);
    timer = setTimeout(settle, Math.max(0, Math.min(QUIET_MS, since + LONGEST_MS - now)));
  }

  function settle(): void {
    since = undefined;
    act();
  }

  return { trigger, stop: () => clearTimeout(timer) };
}
