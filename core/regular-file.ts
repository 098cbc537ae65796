/** Reads files that others may have put there: never waits for a pipe or a device, never reads without a bound. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { problemOf } from "./errors.ts";

export type FileReading =
  | { readonly kind: "read"; readonly content: Buffer; readonly stats: Stats }
  | { readonly kind: "absent" }
  /** `problem` follows the file's name: `is a directory`. */
  | { readonly kind: "refused"; readonly problem: string };

export interface ReadLimits {
  readonly mostBytes: number;
  /** True for a file that only this user may own and that may not be a symbolic link. */
  readonly ours?: boolean;
}

/** Reads a regular file. What is looked at is what is read, also when somebody puts another file in its place. Never throws. */
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

/** What is wrong with a file that cannot even be opened: a link, a socket, somebody else's. */
function lookAt(file: string, limits: ReadLimits): string | null {
  try {
    return refusalOf(lstatSync(file), limits);
  } catch {
    // The folder may not be read either: why it cannot be opened says enough.
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

function tooLarge({ mostBytes }: ReadLimits): string {
  const kib = mostBytes / 1024;
  return `is larger than ${kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`}`;
}
