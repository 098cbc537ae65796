/** What was installed with `hermes plugins install`: where from, and the hashes of the files as they came. */
import { createHash, type Hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { HermesError, problemOf } from "#core/errors";
import { isSource } from "#core/extensions/fingerprint";
import { writePrivateFile } from "#core/home/private-files";
import { isMapping } from "#core/mapping";

/** The files of a plugin's folder. */
export interface FolderHashes {
  /** By path in the folder; packages are not among them. */
  readonly files: Readonly<Record<string, string>>;
  /** One hash of everything in `node_modules`; null without that. */
  readonly packages: string | null;
}

export interface InstalledPlugin extends FolderHashes {
  readonly name: string;
  readonly version: string | null;
  /** `npm:NAME`, `git:URL`, or the path of a folder. */
  readonly source: string;
  /** The branch, tag, commit or version that was asked for. */
  readonly ref: string | null;
  /** What came: a commit, or a version with the package's integrity. */
  readonly resolved: string | null;
  readonly installed_at: string;
  readonly updated_at: string;
}

/** By folder below `plugins/`. */
export type InstalledPlugins = Readonly<Record<string, InstalledPlugin>>;

/** A dot file in `plugins/`: not searched for plugins, and the agent's tools can neither read nor write it. */
const RECORDS = ".installed.json";
const PACKAGES = "node_modules";

export function recordsFile(plugins: string): string {
  return join(plugins, RECORDS);
}

/** Reads the records of the folder `plugins/`. Throws HERMES_PLUGIN_RECORDS for a damaged file. */
export function readInstalled(plugins: string): InstalledPlugins {
  const file = recordsFile(plugins);
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return {};
    throw new HermesError("HERMES_PLUGIN_RECORDS", { file, problem: problemOf(error) }, { cause: error });
  }
  try {
    const document: unknown = JSON.parse(text);
    const records = isMapping(document) ? document["plugins"] : undefined;
    if (isMapping(records) && Object.values(records).every(isRecord)) return records as unknown as InstalledPlugins;
  } catch (error) {
    throw new HermesError("HERMES_PLUGIN_RECORDS", { file, problem: problemOf(error) }, { cause: error });
  }
  throw new HermesError("HERMES_PLUGIN_RECORDS", { file, problem: "it has another form." });
}

/** Writes the records, 0600. Throws what the file system throws. */
export function writeInstalled(plugins: string, records: InstalledPlugins): void {
  writePrivateFile(recordsFile(plugins), `${JSON.stringify({ plugins: records }, null, 2)}\n`, { durable: true });
}

function isRecord(value: unknown): boolean {
  if (!isMapping(value)) return false;
  const { name, source, files } = value;
  return typeof name === "string" && typeof source === "string" && isMapping(files);
}

/** Hashes what is in a folder. Throws what the file system throws. */
export function hashFolder(folder: string): FolderHashes {
  const files: Record<string, string> = {};
  let packages: Hash | undefined;
  for (const path of filesBelow(folder)) {
    if (!path.split("/").includes(PACKAGES))
      files[path] = addEntry(folder, path, createHash("sha256")).digest("base64");
    else {
      packages ??= createHash("sha256");
      addEntry(folder, path, packages.update(`${JSON.stringify(path)}\n`));
    }
  }
  return { files, packages: packages?.digest("base64") ?? null };
}

/**
 * How a plugin's folder differs from what was installed, as clauses; empty if it does not. New files matter only if
 * they are code: a plugin may keep data in its folder.
 */
export function findChanges(folder: string, { files, packages }: FolderHashes): readonly string[] {
  let now: FolderHashes;
  try {
    now = hashFolder(folder);
  } catch (error) {
    return [(error as NodeJS.ErrnoException).code === "ENOENT" ? "its folder is missing" : problemOf(error)];
  }
  const changed = Object.entries(files).flatMap(([path, hash]) => {
    if (now.files[path] === hash) return [];
    return [now.files[path] === undefined ? `${path} is missing` : `${path} is changed`];
  });
  const added = Object.keys(now.files).filter((path) => files[path] === undefined && isSource(path));
  const other = now.packages === packages ? [] : [`${PACKAGES} is changed`];
  return [...changed, ...added.map((path) => `${path} is new`), ...other];
}

/** The paths of all files and links below a folder, sorted. Links are not followed. */
export function filesBelow(folder: string, prefix = ""): readonly string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    });
}

/** Each begins with its length, so that no two folders have the same bytes. */
function addEntry(folder: string, path: string, hash: Hash): Hash {
  const file = join(folder, path);
  const isLink = lstatSync(file).isSymbolicLink();
  const content = isLink ? Buffer.from(readlinkSync(file)) : readFileSync(file);
  return hash.update(`${isLink ? "link" : "file"} ${content.length}\n`).update(content);
}
