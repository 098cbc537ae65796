/**
 * Converts a plan to a profile of `sandbox-exec` (macOS): everything is allowed unless a rule denies it, and the last
 * matching rule decides. Paths cannot be hidden, only made unreadable.
 */
import { dirname } from "node:path";
import type { Mount, WallPlan } from "./plan.ts";

export interface SeatbeltOptions {
  readonly plan: WallPlan;
  /** Hermes's home, and the entries of it that may be read. */
  readonly home: string | null;
  readonly readable: readonly string[];
  /** Where a command of a strict profile may keep temporary files. */
  readonly temporary: string;
}

/** The text for `sandbox-exec -p`. */
export function seatbeltProfile({ plan, home, readable, temporary }: SeatbeltOptions): string {
  const { open, network, mounts } = plan;
  const rules = [
    "(version 1)",
    "(allow default)",
    // Other processes, and the environment they were started with.
    "(deny process-info* (target others))",
    '(deny sysctl-read (sysctl-name-prefix "kern.procargs"))',
    "(deny mach-priv-task-port)",
    ...(network ? [] : ["(deny network*)"]),
    ...(open ? [] : ["(deny file-write*)", `(allow file-write* ${subpath(temporary)} ${DEVICES})`]),
    ...mounts.flatMap((mount) => (mount.path === home ? [] : rulesOf(mount, open))),
    ...(home === null ? [] : homeRules(home, readable)),
  ];
  return `${rules.join("\n")}\n`;
}

const DEVICES = '(literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (literal "/dev/dtracehelper")';

function rulesOf(mount: Mount, open: boolean): readonly string[] {
  switch (mount.kind) {
    case "writable":
      // In an open plan a writable mount only keeps its folder from being renamed.
      return open ? [`(deny file-write-unlink (literal ${quote(mount.path)}))`] : [allowWrites(mount.path)];
    case "read-only":
      return [`(deny file-write* ${subpath(mount.path)})`];
    case "hidden":
      return [`(deny file-read* file-write* ${subpath(mount.path)})`, `(deny network* ${subpath(mount.path)})`];
    // Private folders for temporary files are replaced by `temporary`.
    case "empty":
    case "seal":
      return [];
  }
}

function homeRules(home: string, readable: readonly string[]): readonly string[] {
  const shown = readable.map((path) => subpath(path)).join(" ");
  return [
    `(deny file-write* ${subpath(home)})`,
    `(deny file-write-unlink ${ancestorsOf(home)})`,
    `(deny file-read* ${subpath(home)})`,
    `(allow file-read-metadata (literal ${quote(home)}))`,
    `(allow file-read-data (literal ${quote(home)}))`,
    ...(shown === "" ? [] : [`(allow file-read* ${shown})`]),
  ];
}

function ancestorsOf(path: string): string {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) folders.push(folder);
  return [path, ...folders].map((folder) => `(literal ${quote(folder)})`).join(" ");
}

function allowWrites(path: string): string {
  return `(allow file-write* ${subpath(path)})`;
}

function subpath(path: string): string {
  return `(subpath ${quote(path)})`;
}

/** A string of the profile's language, in which only quotes and backslashes are special. */
function quote(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
