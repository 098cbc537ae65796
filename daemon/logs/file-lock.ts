/**
 * Says which process writes a file: the one that holds a lock of the operating system on `<file>.lock`. SQLite takes
 * the lock, because Node has no call for it. Unlike a file with a process ID, it ends with its process, however that
 * ends, and can neither be stale nor be taken by two at once.
 */
import { closeSync } from "node:fs";
import { openPrivateFile } from "#core/home/private-files";

export interface FileLock {
  release(): void;
}

/** Another process writes the file. */
export class FileLockedError extends Error {}

const SQLITE_BUSY = 5;

/** Rejects with a {@link FileLockedError} while another process writes the file, or with what the file system says. */
export async function acquireFileLock(path: string): Promise<FileLock> {
  const { DatabaseSync } = await import("node:sqlite");
  const file = `${path}.lock`;
  // Private, so that no other user can take the lock.
  closeSync(openPrivateFile(file, "a"));
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Nothing is written, so there need be no journal beside it.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: unknown }).errcode !== SQLITE_BUSY) throw error;
    throw new FileLockedError(`another process is writing ${path}`, { cause: error });
  }
  return { release: () => database.close() };
}
