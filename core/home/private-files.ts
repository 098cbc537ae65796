/** Files of the home that only their owner can read: written whole or not at all, opened without widening their mode. */
import { randomBytes } from "node:crypto";
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

export interface WriteOptions {
  /** 0600 without it. */
  readonly mode?: number;
  /** True to have the content on the disk before it takes the file's place; false without it. */
  readonly durable?: boolean;
  /** Called when all is written, right before the file is replaced; what it throws leaves the old file. */
  readonly beforeReplacing?: () => void;
}

/** Puts a file in the place of whatever has its name, a link included. Throws what the file system throws; then the old file stays. */
export function writePrivateFile(
  file: string,
  content: string | Uint8Array,
  { mode = 0o600, durable = false, beforeReplacing }: WriteOptions = {},
): void {
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const opened = openSync(temporary, "wx", mode);
    try {
      // Whatever the umask says.
      fchmodSync(opened, mode);
      writeFileSync(opened, content);
      if (durable) fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    beforeReplacing?.();
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Opens a file, made 0600 when it is missing; one of before that is open to others is closed to them. Gives the descriptor. */
export function openPrivateFile(file: string, flags: "a" | "a+"): number {
  const opened = openSync(file, flags, 0o600);
  try {
    const stats = fstatSync(opened);
    // A device (`/dev/null`) is not ours to change.
    if (stats.isFile() && (stats.mode & 0o077) !== 0) fchmodSync(opened, 0o600);
    return opened;
  } catch (error) {
    closeSync(opened);
    throw error;
  }
}
