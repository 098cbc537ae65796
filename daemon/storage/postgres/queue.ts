/**
 * The queue of tasks, carried by pg-boss: a job for each queued or running task, sent, fetched and completed in the
 * transaction that changes the task's row. The rows stay the truth: what pg-boss would do by itself with a job that
 * takes long or fails (expiry, retries) is not used, because whether an attempt lives, and what becomes of it, is
 * decided by its lease and by `background` in the configuration of whoever finds it.
 */
import type { ConnectionOptions, PgBoss } from "pg-boss";
import type { PostgresDatabase } from "./database.ts";
import type { Sql } from "./sql.ts";

/** A task in the queue. */
export interface QueuedTask {
  readonly id: string;
  /** Its place: tasks are fetched in this order, also those that are queued again. */
  readonly number: number;
  readonly tag: string | null;
  /** A UUID. */
  readonly job: string;
}

const DAY_S = 86_400;
const QUEUE = {
  retryLimit: 0,
  // The longest that pg-boss knows.
  expireInSeconds: DAY_S,
  // A task may wait for a worker for as long as it takes.
  retentionSeconds: 3650 * DAY_S,
  // The rows of the tasks tell what has been.
  deleteAfterSeconds: 3600,
} as const;
const MOST_PRIORITY = 2 ** 31 - 1;

export class TaskQueue implements AsyncDisposable {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  #opening: Promise<PgBoss> | undefined;
  #isSupervising = false;
  readonly #ready = new Set<string>();

  constructor(database: PostgresDatabase) {
    this.#database = database;
    this.#schema = `${database.schema}_queue`;
  }

  /** Removes what is over from time to time, from now on: something for processes that stay. */
  async supervise(): Promise<void> {
    if (this.#isSupervising) return;
    this.#isSupervising = true;
    const opened = this.#opening;
    this.#opening = undefined;
    if (opened !== undefined) await (await opened).stop({ close: false, graceful: false });
    await this.#boss();
  }

  /** Creates the queues of these tags, where they are missing. Has to be called before the transaction that uses them. */
  async prepare(tags: readonly (string | null)[]): Promise<void> {
    const boss = await this.#boss();
    for (const name of tags.map(nameOf)) {
      if (this.#ready.has(name)) continue;
      // It does nothing when another process has created it meanwhile.
      if ((await boss.getQueue(name)) === null) await boss.createQueue(name, QUEUE);
      this.#ready.add(name);
    }
  }

  async send(tx: Sql, { id, number, tag, job }: QueuedTask): Promise<void> {
    const boss = await this.#boss();
    const priority = -Math.min(number, MOST_PRIORITY);
    await boss.send(nameOf(tag), { task: id }, { id: job, priority, db: within(tx) });
  }

  /** The ids of the first jobs that nobody else is claiming now. */
  async fetch(tx: Sql, tag: string | null, batchSize: number): Promise<readonly string[]> {
    const boss = await this.#boss();
    return (await boss.fetch(nameOf(tag), { batchSize, db: within(tx) })).map(({ id }) => id);
  }

  /** Ends a job that was fetched; null is of a task that never had one. */
  async complete(tx: Sql, tag: string | null, job: string | null): Promise<void> {
    if (job === null) return;
    const boss = await this.#boss();
    await boss.complete(nameOf(tag), job, null, { db: within(tx) });
  }

  /** Takes a job out of the queue. */
  async cancel(tx: Sql, tag: string | null, job: string | null): Promise<void> {
    if (job === null) return;
    const boss = await this.#boss();
    await boss.cancel(nameOf(tag), job, { db: within(tx) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.stop({ close: false, graceful: false });
  }

  #boss(): Promise<PgBoss> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<PgBoss> {
    const { PgBoss } = await import("pg-boss");
    const database = this.#database;
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => ({ rows: await database.script(text, values) }) },
      schema: this.#schema,
      supervise: this.#isSupervising,
      schedule: false,
      registerInstance: false,
      openTelemetry: { enabled: false },
      clock: UNREFERENCED,
      migrate: false,
    });
    // Whoever uses the database says what is wrong with it.
    boss.on("error", () => undefined);
    try {
      return await boss.start();
    } catch {
      await this.#install();
      return await boss.start();
    }
  }

  /** Creates or upgrades the tables of pg-boss; processes that do so at the same time wait for each other. */
  async #install(): Promise<void> {
    const { PgBoss } = await import("pg-boss");
    const database = this.#database;
    await database.exclusively(`hermes:${this.#schema}`, async () => {
      const boss = new PgBoss({
        db: { executeSql: async (text, values) => ({ rows: await database.script(text, values) }) },
        schema: this.#schema,
        supervise: false,
        schedule: false,
        registerInstance: false,
        openTelemetry: { enabled: false },
      });
      boss.on("error", () => undefined);
      await boss.start();
      await boss.stop({ close: false, graceful: false });
    });
  }
}

/** The queue of a tag, whose letters are those that names of queues may have. */
function nameOf(tag: string | null): string {
  return tag === null ? "tasks" : `tasks.${tag}`;
}

function within(tx: Sql): NonNullable<ConnectionOptions["db"]> {
  return { executeSql: async (text, values = []) => ({ rows: await tx.rows(text, ...values) }) };
}

/** The time, with timers that keep no process running. */
const UNREFERENCED = {
  now: () => Date.now(),
  setTimeout: (work: () => void, ms: number) => setTimeout(work, ms).unref(),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  setInterval: (work: () => void, ms: number) => setInterval(work, ms).unref(),
  clearInterval: (timer: unknown) => clearInterval(timer as NodeJS.Timeout),
};
