/** Writes and opens files of the home that only their owner can read, atomically and without widening their mode. */
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

export interface WriteOptions {
  /** 0600 without it. */
  readonly mode?: number;
  /** True to flush the content to disk before it replaces the file; false when absent. */
  readonly durable?: boolean;
  /** Called when everything is written, right before the file is replaced; if it throws, the old file stays. */
  readonly beforeReplacing?: () => void;
}

/** Replaces a file, even if it is a link. Throws what the file system throws; then the old file stays. */
export function writePrivateFile(
  file: string,
  content: string | Uint8Array,
  { mode = 0o600, durable = false, beforeReplacing }: WriteOptions = {},
): void {
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const opened = openSync(temporary, "wx", mode);
    try {
      // Regardless of the umask.
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

/** Opens a file and creates it with mode 0600 if missing; an existing one is made private. Returns the descriptor. */
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
