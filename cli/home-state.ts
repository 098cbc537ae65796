/** What the commands of tasks and webhooks open: the home's configuration and its database. */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Command } from "#cli/command-line/command";
import { HermesError, problemOf } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import type { Storage } from "#core/ports/storage";
import { openDatabase, openMemoryDatabase } from "#core/home/database";
import { demandVisible } from "#core/home/hidden";
import type { HomePaths } from "#core/home/paths";
import { commandPath } from "./command-path.ts";
import type { CliContext } from "./context.ts";
import { LazyStorage } from "./storage.ts";

export interface HomeState {
  readonly paths: HomePaths;
  readonly config: Config;
  readonly database: DatabaseSync;
  /** Opened when it is first asked for. Rejects with HERMES_DATABASE_*. */
  readonly storage: () => Promise<Storage>;
}

interface HomeStateOptions {
  /** Whether a home without a database gets one. */
  readonly creates: boolean;
  /** Whether a database elsewhere that is away is waited for. */
  readonly waits?: boolean;
}

/**
 * Opens it for `use`. A home without a database gets one only with `creates`: looking at a home does not change it.
 * Throws HERMES_HIDDEN, HERMES_CONFIG_*,
 * HERMES_STATE_* and HERMES_DATABASE_*.
 */
export async function withHomeState<Value>(
  command: Command,
  context: CliContext,
  { creates, waits = false }: HomeStateOptions,
  use: (state: HomeState) => Promise<Value>,
): Promise<Value> {
  const paths = context.paths(command);
  demandVisible(paths, `hermes ${commandPath(command)}`);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  const database = creates || existsSync(paths.state) ? openDatabase(paths.state, context.warn) : openMemoryDatabase();
  const { env, note } = context;
  const storage = new LazyStorage({ database, config, env, home: paths.home, waits: waits ? note : undefined });
  try {
    return await use({ paths, config, database, storage: () => storage.get() });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_SQLITE_ERROR") throw error;
    // The disk is full, or another process keeps the database for itself.
    throw new HermesError(
      "HERMES_STATE_UNAVAILABLE",
      { file: paths.state, problem: problemOf(error) },
      { cause: error },
    );
  } finally {
    await storage[Symbol.asyncDispose]();
    database.close();
  }
}
