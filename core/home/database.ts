/** `state.db`, the only database file: its schema versions, and writing from several processes (CONTRACT §1). */
import { closeSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import { isDamage } from "./damage.ts";
import { setAside } from "./damaged.ts";
import { MIGRATIONS } from "./migrations.ts";
import { ensureFolder } from "./paths.ts";
import { openPrivateFile } from "./private-files.ts";

const BUSY_TIMEOUT_MS = 5000;
/** A glance is not worth a longer wait. */
const LOOK_TIMEOUT_MS = 300;

/**
 * Opens the database file; creates it (mode 0600, its folder 0700) and upgrades its schema if needed. Processes that do
 * so at the same time wait for each other. With `warn`, a file that cannot be read at all is moved away, with a sentence
 * that says where to, and a new one is created. Throws HERMES_STATE_NEWER for a file of a newer version and
 * HERMES_STATE_UNAVAILABLE for one that cannot be opened or written.
 */
export function openDatabase(file: string, warn?: (sentence: string) => void): DatabaseSync {
  try {
    return open(file);
  } catch (error) {
    if (warn === undefined || !isDamage(error)) throw error;
    const moved = setAside(file);
    // Without: another process has just done so.
    if (moved !== undefined)
      warn(`${file} is damaged (${moved.problem}) and was moved to ${moved.path}; a new one is used.`);
    return open(file);
  }
}

function open(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    ensureFolder(dirname(file));
    // Before SQLite does, which would give the file the umask's mode; its WAL files inherit the mode.
    closeSync(openPrivateFile(file, "a"));
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    // Before switching to WAL, which writes: a newer file must stay unchanged.
    checkedVersion(database, file);
    switchToWal(database);
    database.exec("PRAGMA synchronous = NORMAL");
    migrate(database, file);
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    if (isHermesError(error)) throw error;
    throw new HermesError("HERMES_STATE_UNAVAILABLE", { file, problem: problemOf(error) }, { cause: error });
  }
}

/**
 * Opens a file that cannot be written (full disk, read-only home) for reading; every write throws. Undefined when there
 * is no file with this version's schema. Throws HERMES_STATE_NEWER.
 */
export function openForReading(file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    const url = pathToFileURL(file);
    // Without this, SQLite would write WAL files even for reading.
    url.searchParams.set("immutable", "1");
    database = new DatabaseSync(url, { readOnly: true });
    if (checkedVersion(database, file) === MIGRATIONS.length) return database;
  } catch (error) {
    if (isHermesError(error)) throw error;
    // Missing, damaged or not readable: the caller already knows why the file cannot be used.
  }
  if (database?.isOpen) database.close();
  return undefined;
}

/**
 * Opens an existing file to look into it, and changes nothing in it, its schema included. Undefined when there is no
 * file with this version's schema that can be opened now.
 */
export function openToLook(file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    const url = pathToFileURL(file);
    // Never creates the file; may write its WAL files, without which recent changes could not be read.
    url.searchParams.set("mode", "rw");
    database = new DatabaseSync(url, { timeout: LOOK_TIMEOUT_MS });
    database.exec("PRAGMA query_only = 1");
    if (checkedVersion(database, file) === MIGRATIONS.length) return database;
  } catch {
    // Missing, damaged, busy, of a newer version, or not readable: there is nothing to look into.
  }
  if (database?.isOpen) database.close();
  return undefined;
}

/** An in-memory database: the fallback of a conversation without a usable file. */
export function openMemoryDatabase(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  migrate(database, ":memory:");
  return database;
}

/**
 * Runs `work` in one write transaction. Inside another transaction it joins that one. Returns what `work` returns;
 * throws what it throws, after the rollback.
 */
export function transaction<Value>(database: DatabaseSync, work: () => Value): Value {
  if (database.isTransaction) return work();
  database.exec("BEGIN IMMEDIATE");
  try {
    const value = work();
    database.exec("COMMIT");
    return value;
  } catch (error) {
    // A failed COMMIT or a full disk may have ended the transaction already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The busy timeout does not apply to changing the journal mode, so this waits for other processes. */
function switchToWal(database: DatabaseSync): void {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown }).errcode === 5;
}

/** Also checks that the file is writable: otherwise the transaction's lock is refused. */
function migrate(database: DatabaseSync, file: string): void {
  transaction(database, () => {
    const found = checkedVersion(database, file);
    if (found === MIGRATIONS.length) return;
    for (const migration of MIGRATIONS.slice(found)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function checkedVersion(database: DatabaseSync, file: string): number {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (found <= MIGRATIONS.length) return found;
  throw new HermesError("HERMES_STATE_NEWER", { file, found, known: MIGRATIONS.length });
}
