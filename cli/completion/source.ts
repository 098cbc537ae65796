/** Where completion looks for values: it changes nothing. */
import type { DatabaseSync } from "node:sqlite";
import { loadConfig } from "#core/home/config";
import { openMemoryDatabase, openToLook } from "#core/home/database";
import type { HomePaths } from "#core/home/paths";
import type { Storage } from "#core/ports/storage";
import { LazyStorage } from "../storage.ts";

export interface Source {
  readonly paths: HomePaths;
  readonly env: NodeJS.ProcessEnv;
}

/** Reads from where the home keeps its tasks. Rejects with HERMES_DATABASE_*. */
export async function withStorage<Value>(
  { paths, env }: Source,
  use: (storage: Storage) => Promise<readonly Value[]>,
): Promise<readonly Value[]> {
  // Where everything is in PostgreSQL, the file may not be there yet.
  const database = openToLook(paths.state) ?? openMemoryDatabase();
  try {
    await using storage = new LazyStorage({ database, config: await loadConfig(paths, env), env, home: paths.home });
    // Awaited here: else it would be closed before it has answered.
    return await use(await storage.get());
  } finally {
    database.close();
  }
}

/** Reads from `state.db`; nothing when there is none. */
export async function withDatabase<Value>(
  paths: HomePaths,
  use: (database: DatabaseSync) => Promise<readonly Value[]>,
): Promise<readonly Value[]> {
  const database = openToLook(paths.state);
  try {
    return database === undefined ? [] : await use(database);
  } finally {
    database?.close();
  }
}
