/** A tiny disk that is the home of the real program, and that can be full or read-only. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Home, type Ended } from "./hermes.ts";

export interface Disk {
  readonly path: string;
  fill(): void;
  /** From here on nothing can be written. */
  freeze(): void;
  run(args: readonly string[]): Promise<Ended>;
}

/** A tiny disk of its own, with its `state.db`, to be the home, or undefined (and the test skipped) where none can be mounted. */
export function mountDisk(t: TestContext): Disk | undefined {
  const removals: (() => void)[] = [];
  t.after(() => removals.forEach((remove) => remove()));
  // The disk lies in the home's folder, so it has to go first.
  const home = new Home({ after: (remove) => removals.push(remove as () => void) }, { storage: "embedded" });
  const path = join(home.work, "disk");
  mkdirSync(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], { stdio: "pipe" });
  } catch (error) {
    t.skip(`no file system can be mounted here: ${String(error).split("\n", 2).join(" ")}`);
    return undefined;
  }
  removals.unshift(() => execFileSync("umount", ["-l", path]));
  return {
    path,
    fill: () => assert.throws(() => writeFileSync(join(path, "filler"), "x".repeat(4_000_000)), { code: "ENOSPC" }),
    freeze: () => execFileSync("mount", ["-o", "remount,ro", path]),
    run: (args) => home.run(["--home", path, ...args]),
  };
}
