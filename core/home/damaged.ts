/** What becomes of a damaged `state.db`: it is moved to a folder of its own, with its WAL, and never deleted. */
import { existsSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import { isDamage } from "./damage.ts";
import { ensureFolder, homePaths } from "./paths.ts";

const LOCK_TIMEOUT_MS = 5000;

/** A damaged file that was moved away. */
export interface SetAside {
  /** Where it is now. */
  readonly path: string;
  /** What SQLite says about it. */
  readonly problem: string;
}

/**
 * Moves the file into `damaged/` in its folder if it is damaged; undefined when it is not: another process may have
 * moved it already. Throws what the file system or SQLite throws.
 */
export function setAside(file: string): SetAside | undefined {
  using lock = new DisposableStack();
  lock.use(lockFor(dirname(file)));
  const problem = findDamage(file);
  if (problem === undefined) return undefined;
  const { damaged } = homePaths(dirname(file));
  ensureFolder(damaged);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const path = join(damaged, `${time}-${process.pid}-${basename(file)}`);
  // The WAL first: a new file must not find the one of the old file.
  for (const suffix of ["-wal", "-shm", ""]) if (existsSync(file + suffix)) renameSync(file + suffix, path + suffix);
  return { path, problem };
}

function findDamage(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: LOCK_TIMEOUT_MS });
    const [row] = database.prepare("PRAGMA quick_check(1)").all();
    const found = String(row?.["quick_check"] ?? "ok");
    return found === "ok" ? undefined : found.replaceAll(/\s+/g, " ");
  } catch (error) {
    if (isDamage(error)) return problemOf(error);
    throw error;
  } finally {
    if (database?.isOpen) database.close();
  }
}

/** One process at a time; the lock ends with its process. */
function lockFor(home: string): Disposable {
  const { run } = homePaths(home);
  ensureFolder(run);
  const lock = new DatabaseSync(join(run, "damaged.lock"), { timeout: LOCK_TIMEOUT_MS });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw error;
  }
  return { [Symbol.dispose]: () => lock.close() };
}
