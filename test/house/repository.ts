/** Where the repository is and what it holds, for the tests of the house itself. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

export const repositoryRoot = resolve(import.meta.dirname, "../..");

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(resolve(repositoryRoot, path), "utf8");
}

/** The paths of all tracked files, from the root of the repository; null where there is no git (a copy, a pack). */
export function trackedFiles(): string[] | null {
  try {
    const listed = execFileSync("git", ["ls-files", "-z"], {
      cwd: repositoryRoot,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return listed.split("\0").filter((path) => path !== "");
  } catch {
    // No git or no repository: the caller skips its test and says so.
    return null;
  }
}
