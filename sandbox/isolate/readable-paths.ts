/** The files that a process which hosts isolates may read: its own code, and nothing of the user's. */
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** isolated-vm loads its binary with node-gyp-build, which looks for this file to recognise the system. */
const SYSTEM_MARK = "/etc/alpine-release";

/**
 * Absolute paths of files and folders: this folder, `core/`, the package.json that resolves imports between them, and
 * isolated-vm. The same in the repository and in the package.
 */
export function readablePaths(): readonly string[] {
  const here = import.meta.dirname;
  const root = join(here, "../..");
  const isolatedVm = packageFolder("isolated-vm", import.meta.url);
  const loader = packageFolder("node-gyp-build", join(realpathSync(isolatedVm), "package.json"));
  const packages = [isolatedVm, loader].flatMap((folder) => [folder, realpathSync(folder)]);
  return [here, join(root, "core"), join(root, "package.json"), ...new Set(packages), SYSTEM_MARK];
}

/** Where Node finds a package. It may be a link: then Node reads that, and loads the files by their real paths. */
function packageFolder(name: string, from: string): string {
  const folders = createRequire(from).resolve.paths(name) ?? [];
  const found = folders.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, "package.json")));
  if (found === undefined) throw new Error(`the package ${name} is not installed`);
  return found;
}
