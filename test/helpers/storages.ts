/** The engines that the cases of `test/daemon/storage/cases` run on: they are the specification of the port. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openDatabase, openMemoryDatabase } from "#core/home/database";
import type { Storage } from "#core/ports/storage";
import { embeddedStorage } from "#daemon/storage/embedded";
import { postgresStorage } from "#daemon/storage/postgres/storage";
import type { PostgresServer } from "./postgres.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** When the clock of a case starts. */
export const START = Date.parse("2026-11-29T12:00:00Z");

export interface TestClock {
  now: number;
}

interface EmptyStorage {
  readonly storage: Storage;
  readonly clock: TestClock;
  /** From now on it fails to store that a task reports to `watcher`. */
  readonly refuseReports: () => Promise<void>;
}

export interface StorageEngine {
  /** How many runs of a property are worth their time. */
  readonly runs: number;
  /** An empty storage whose time is the clock's. */
  open(): Promise<EmptyStorage>;
  /** An empty storage that further processes can open; its time is the time. */
  shared(t: TestContext): Promise<SharedStorage>;
}

interface SharedStorage {
  /** Opens it once more. */
  open(): Promise<Storage>;
  /** An expression that opens it in another process. */
  readonly code: string;
}

export const embeddedEngine: StorageEngine = {
  runs: 50,
  async open() {
    const clock = { now: START };
    const database = openMemoryDatabase();
    return {
      clock,
      storage: embeddedStorage(database, () => clock.now),
      async refuseReports() {
        database.exec(`CREATE TRIGGER refuse BEFORE INSERT ON inbox_tasks BEGIN SELECT RAISE(ABORT, 'no report'); END`);
      },
    };
  },
  async shared(t) {
    const file = join(temporaryFolder(t), "state.db");
    return {
      async open() {
        const database = openDatabase(file);
        t.after(() => database.close());
        return embeddedStorage(database);
      },
      code: `(await import("#daemon/storage/embedded")).embeddedStorage(
        (await import("#core/home/database")).openDatabase(${JSON.stringify(file)}))`,
    };
  },
};

/** An engine whose cases share one database, which is emptied before each of them. */
export async function postgresEngine(server: PostgresServer): Promise<StorageEngine & AsyncDisposable> {
  const url = await server.createDatabase();
  const database = new URL(url).pathname.slice(1);
  let clock: TestClock = { now: START };
  const storage = await postgresStorage({ url, home: "/nowhere", now: async () => clock.now });
  async function empty() {
    const tables = await server.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
        WHERE schemaname = 'hermes' AND tablename <> 'version' OR schemaname = 'hermes_queue' AND tablename = 'job_common'`,
      database,
    );
    await server.query('ALTER TABLE hermes.inbox_tasks DROP CONSTRAINT IF EXISTS "no report"', database);
    await server.query(`TRUNCATE ${tables.map(({ name }) => name).join()}`, database);
  }
  return {
    runs: 5,
    async open() {
      await empty();
      clock = { now: START };
      return {
        storage,
        clock,
        async refuseReports() {
          const check = `CONSTRAINT "no report" CHECK (session <> 'watcher')`;
          await server.query(`ALTER TABLE hermes.inbox_tasks ADD ${check}`, database);
        },
      };
    },
    async shared(t) {
      await empty();
      return {
        async open() {
          const further = await postgresStorage({ url, home: "/nowhere" });
          t.after(() => further[Symbol.asyncDispose]());
          return further;
        },
        code: `await (await import("#daemon/storage/postgres/storage")).postgresStorage({ url: ${JSON.stringify(url)}, home: "/nowhere" })`,
      };
    },
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}
