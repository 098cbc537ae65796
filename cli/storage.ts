/** Where a home keeps its tasks, deliveries, inboxes and schedules (CONTRACT §16). */
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { HermesError, isHermesError } from "#core/errors";
import type { Config } from "#core/home/config";
import { databaseUrlProblem } from "#core/home/database-url";
import type { Storage } from "#core/ports/storage";
import { createRareLog } from "#core/rare-log";

export interface StorageOptions {
  /** The home's own, where everything is unless the configuration names a server. */
  readonly database: DatabaseSync;
  readonly config: Pick<Config, "values" | "demand">;
  readonly env: NodeJS.ProcessEnv;
  /** The home's folder. */
  readonly home: string;
  /** Given by what stays, which waits for a database that is away: says so, once a minute at most. */
  readonly waits?: ((sentence: string) => void) | undefined;
}

const RETRY_MS = 2000;

/** How many openings go on that wait for as long as it takes. */
let waiting = 0;

/** True while a database is being opened that is waited for when it is away. */
export function isWaitingForDatabase(): boolean {
  return waiting > 0;
}

/**
 * The url of the server, from `storage` in config.yaml, else from the environment; undefined without one. Throws
 * HERMES_DATABASE_URL.
 */
export function storageUrl({ values }: Pick<Config, "values">, env: NodeJS.ProcessEnv): string | undefined {
  if (values.storage !== undefined) return values.storage;
  const url = env["HERMES_DATABASE_URL"] || undefined;
  const problem = url === undefined ? null : databaseUrlProblem(url);
  if (problem !== null) throw new HermesError("HERMES_DATABASE_URL", { source: "HERMES_DATABASE_URL", problem });
  return url;
}

/** A storage that is opened, and whose code is loaded, when it is first asked for. */
export class LazyStorage implements AsyncDisposable {
  readonly #options: StorageOptions;
  #opening: Promise<Storage> | undefined;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  /** Rejects with HERMES_DATABASE_*; the next call tries again then. */
  get(): Promise<Storage> {
    this.#opening ??= openPatiently(this.#options).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** The database of the home stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }
}

async function openPatiently(options: StorageOptions): Promise<Storage> {
  if (options.waits === undefined) return open(options);
  waiting++;
  try {
    return await openInTheEnd(options, options.waits);
  } finally {
    waiting--;
  }
}

async function openInTheEnd(options: StorageOptions, waits: (sentence: string) => void): Promise<Storage> {
  const rare = createRareLog({ write: waits });
  for (;;) {
    try {
      return await open(options);
    } catch (error) {
      const isAway = isHermesError(error) && error.code === "HERMES_DATABASE_UNAVAILABLE";
      if (!isAway) throw error;
      rare(`${error.message}. Trying again until it can be.`);
      await pause(RETRY_MS);
    }
  }
}

async function open({ database, config, env, home }: StorageOptions): Promise<Storage> {
  config.demand("storage");
  const url = storageUrl(config, env);
  if (url === undefined) {
    const { embeddedStorage } = await import("#daemon/storage/embedded");
    return embeddedStorage(database);
  }
  const { postgresStorage } = await import("#daemon/storage/postgres/storage");
  return postgresStorage({ url, home });
}
