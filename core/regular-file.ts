/** Reads files that others may have created: never blocks on a pipe or a device, never reads without a limit. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { problemOf } from "./errors.ts";

export type FileReading =
  | { readonly kind: "read"; readonly content: Buffer; readonly stats: Stats }
  | { readonly kind: "absent" }
  /** `problem` follows the file's name: `is a directory`. */
  | { readonly kind: "refused"; readonly problem: string };

export interface ReadLimits {
  readonly mostBytes: number;
  /** True for a file that this user must own and that must not be a symbolic link. */
  readonly ours?: boolean;
}

/** Reads a regular file. Checks and reads the same file, even if it is replaced meanwhile. Never throws. */
export function readRegularFile(file: string, limits: ReadLimits): FileReading {
  const noFollow = limits.ours ? constants.O_NOFOLLOW : 0;
  let opened: number | undefined;
  try {
    opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
    const stats = fstatSync(opened);
    const problem = refusalOf(stats, limits);
    if (problem !== null) return { kind: "refused", problem };
    const content = readFileSync(opened);
    if (content.length > limits.mostBytes) return { kind: "refused", problem: tooLarge(limits) };
    return { kind: "read", content, stats };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
    return {
      kind: "refused",
      problem: (limits.ours && lookAt(file, limits)) || `cannot be read (${problemOf(error)})`,
    };
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** What is wrong with a file that cannot be opened: a link, a socket, another user's file. */
function lookAt(file: string, limits: ReadLimits): string | null {
  try {
    return refusalOf(lstatSync(file), limits);
  } catch {
    // The folder is not readable either; the error of opening the file is enough.
    return null;
  }
}

function refusalOf(stats: Stats, limits: ReadLimits): string | null {
  if (stats.isSymbolicLink()) return "is a symbolic link";
  if (stats.isDirectory()) return "is a directory";
  if (!stats.isFile()) return "is not a regular file";
  const user = process.geteuid?.();
  if (limits.ours && user !== undefined && stats.uid !== user) return "belongs to another user";
  return stats.size > limits.mostBytes ? tooLarge(limits) : null;
}

/** What is said of a larger file. */
export function tooLarge({ mostBytes }: Pick<ReadLimits, "mostBytes">): string {
  const kib = mostBytes / 1024;
  return `is larger than ${kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`}`;
}
