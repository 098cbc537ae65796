import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

let installed: string | undefined;

/**
 * Packs hermes and unpacks it like an install, next to this repository's packages: once, for all cases of a run.
 * Gives the installed `hermes`, to run with Node.
 */
export function installPackage(): string {
  return (installed ??= install());
}

function install(): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-bench-package-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const modules = join(folder, "node_modules");
  const target = join(modules, "hermes-hooks");
  mkdirSync(target, { recursive: true });
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as [{ filename: string }];
  execFileSync("tar", ["-xzf", join(folder, packed.filename), "--strip-components=1", "-C", target]);
  symlinkSync(join(ROOT, "node_modules"), join(target, "node_modules"));
  return join(target, "cli/bin.js");
}
