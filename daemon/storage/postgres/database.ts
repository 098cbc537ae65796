/** A PostgreSQL database that the processes of several machines share (CONTRACT §16). */
import { Pool, types, type PoolClient, type PoolConfig } from "pg";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import { createLimiter } from "#core/limiter";
import { shownDatabase } from "#core/home/database-url";
import { withoutPassword } from "./failure.ts";
import { DatabaseClock } from "./clock.ts";
import type { Sql, Transaction } from "./sql.ts";
import { readText, storedValue } from "./text.ts";

export interface DatabaseUrl {
  /** For the driver. */
  readonly url: string;
  /** The schema of the tables, `hermes` by default: the parameter `schema` of the url. */
  readonly schema: string;
  /** For people: `HOST:PORT/DATABASE`. */
  readonly shown: string;
}

const CONNECT_MS = 10_000;
/** A connection that nobody uses is closed after this. */
const IDLE_MS = 5000;
/** Every process has so many at most, and one that listens: the server has 100 by default for all of them. */
const MOST_CONNECTIONS = 4;
const MOST_RETRIES = 5;
/** `serialization_failure` and `deadlock_detected`: the same transaction may succeed the next time. */
const COLLISIONS = new Set(["40001", "40P01"]);
const VERIFIED: ReadonlySet<string> = new Set(["prefer", "require", "verify-ca"]);
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS locks (name)";
const INT8 = 20;
const NUMERIC = 1700;
const TEXT = 25;

/** Splits what is ours from a url that has been checked. */
export function databaseUrl(written: string): DatabaseUrl {
  const url = new URL(written);
  const schema = url.searchParams.get("schema") ?? "hermes";
  url.searchParams.delete("schema");
  const mode = url.searchParams.get("sslmode") ?? "";
  // As the driver reads them, but for its warning on standard error: the certificate is verified in each of them.
  if (VERIFIED.has(mode) && !url.searchParams.has("uselibpqcompat")) url.searchParams.set("sslmode", "verify-full");
  return { url: url.href, schema, shown: shownDatabase(written) };
}

/** The settings of a connection. Its statements find the tables of the schema without naming it. */
export function connectionOf({ url, schema }: DatabaseUrl): PoolConfig {
  return {
    connectionString: url,
    options: `-c search_path=${schema}`,
    application_name: "hermes",
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser },
  };
}

const POOL = { idleTimeoutMillis: IDLE_MS, allowExitOnIdle: true };

export class PostgresDatabase implements Sql, AsyncDisposable {
  readonly #pool: Pool;
  readonly #turns = createLimiter(MOST_CONNECTIONS);
  /** For scripts: whoever is in a transaction may wait for one, and not for a connection that others have. */
  readonly #aside: Pool;
  readonly #clock = new DatabaseClock();
  readonly #at: DatabaseUrl;
  /** The name of each statement that was prepared, by its text. */
  readonly #names = new Map<string, string>();

  /** Connects when it is first used. */
  constructor(at: DatabaseUrl) {
    this.#at = at;
    // Statements of a transaction are sent without waiting for the answer to its BEGIN.
    this.#pool = new Pool({ ...connectionOf(at), ...POOL, pipeline: true, max: MOST_CONNECTIONS });
    this.#aside = new Pool({ ...connectionOf(at), ...POOL, max: 1 });
    // The server closed a connection that nobody was using; the next statement opens another one.
    for (const pool of [this.#pool, this.#aside]) pool.on("error", () => undefined);
  }

  /** The schema of the tables. */
  get schema(): string {
    return this.#at.schema;
  }

  /**
   * The time of the server, in milliseconds since 1970, whatever the clock of this machine says. `sql` is the caller's
   * transaction: inside one, nobody waits for a further connection.
   */
  async now(sql: Sql = this): Promise<number> {
    if (!this.#clock.isFresh) await this.#clock.set(sql);
    return this.#clock.now;
  }

  async rows<Row>(text: string, ...values: readonly unknown[]): Promise<Row[]> {
    return this.#use(async (client) => (await client.query(this.#named(text, values))).rows as Row[], isReading(text));
  }

  async run(text: string, ...values: readonly unknown[]): Promise<number> {
    return this.#use(async (client) => (await client.query(this.#named(text, values))).rowCount ?? 0, false);
  }

  /**
   * Runs `work` in one transaction, again when it collided with another one. Rejects with what `work` throws, after the
   * rollback, and with HERMES_DATABASE_UNAVAILABLE.
   */
  async transaction<Value>(work: (tx: Transaction) => Promise<Value>): Promise<Value> {
    for (let retries = 0; ; retries++) {
      try {
        return await this.#use((client) => this.#attempt(client, work), false);
      } catch (error) {
        const { code } = (error as { cause?: { code?: string } }).cause ?? {};
        if (code === undefined || !COLLISIONS.has(code) || retries === MOST_RETRIES) throw error;
      }
    }
  }

  /**
   * Runs a text that may have several statements and transactions of its own, and rolls back what it left open when it
   * fails. Resolves with the rows of the last statement.
   */
  async script<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const run = async (client: PoolClient) => {
      try {
        const result: unknown = await client.query(text, values as unknown[]);
        const results = (Array.isArray(result) ? result : [result]) as { rows: Row[] }[];
        return results.at(-1)!.rows;
      } catch (error) {
        await client.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    };
    return this.#use(run, false, this.#aside);
  }

  /** Runs `work` while no other process does so under the same name. */
  async exclusively(name: string, work: () => Promise<void>): Promise<void> {
    await this.#use(async (client) => {
      await client.query("SELECT pg_advisory_lock(hashtext($1))", [name]);
      try {
        await work();
      } finally {
        await client.query("SELECT pg_advisory_unlock(hashtext($1))", [name]);
      }
    }, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#pool.end(), this.#aside.end()]);
  }

  async #attempt<Value>(client: PoolClient, work: (tx: Transaction) => Promise<Value>): Promise<Value> {
    let isOver = false;
    const query = async (text: string, values: readonly unknown[]) => {
      // What fails beside others must not leave them to go on outside of the transaction.
      if (isOver) throw new Error("the transaction is over");
      return client.query(this.#named(text, values));
    };
    const tx: Transaction = {
      rows: async <Row>(text: string, ...values: readonly unknown[]) => (await query(text, values)).rows as Row[],
      run: async (text, ...values) => (await query(text, values)).rowCount ?? 0,
      lock: async (...names) => void (await query(LOCK, [names.map((name) => `${this.#at.schema} ${name}`)])),
      notify: async (kind) => void (await query("SELECT pg_notify($1, $2)", [this.#at.schema, kind])),
    };
    const begun = client.query("BEGIN");
    // It is awaited below, and may reject before that.
    begun.catch(() => undefined);
    try {
      const value = await work(tx);
      isOver = true;
      await begun;
      await client.query("COMMIT");
      return value;
    } catch (error) {
      isOver = true;
      await client.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  }

  /**
   * With `mayRepeat`, once more on another connection when this one turns out to be cut. The time that a connection may
   * take to be opened does not run while all of them are busy.
   */
  #use<Value>(work: (client: PoolClient) => Promise<Value>, mayRepeat: boolean, pool = this.#pool): Promise<Value> {
    const connect = () => this.#connected(work, mayRepeat, pool);
    return pool === this.#pool ? this.#turns.run(connect) : connect();
  }

  async #connected<Value>(
    work: (client: PoolClient) => Promise<Value>,
    mayRepeat: boolean,
    pool: Pool,
  ): Promise<Value> {
    let client: PoolClient | undefined;
    let broken: unknown;
    const onError = (error: unknown) => void (broken ??= error);
    try {
      client = await pool.connect();
      client.on("error", onError);
      return await work(client);
    } catch (error) {
      if (isHermesError(error) || (error as { constructor?: unknown }).constructor === TypeError) throw error;
      if (isCut(error)) broken ??= error;
      if (client !== undefined && broken !== undefined && mayRepeat) return await this.#connected(work, false, pool);
      throw this.#unavailable(error);
    } finally {
      client?.off("error", onError);
      client?.release(broken !== undefined);
    }
  }

  #unavailable(error: unknown): HermesError<"HERMES_DATABASE_UNAVAILABLE"> {
    const problem = withoutPassword(problemOf(error), this.#at.url);
    return new HermesError("HERMES_DATABASE_UNAVAILABLE", { database: this.#at.shown, problem }, { cause: error });
  }

  /** Statements with the same text are planned once a connection. */
  #named(text: string, values: readonly unknown[]) {
    let name = this.#names.get(text);
    if (name === undefined) this.#names.set(text, (name = `hermes_${this.#names.size}`));
    return { name, text, values: values.map(storedValue) };
  }
}

function isReading(text: string): boolean {
  return /^\s*select\b/i.test(text);
}

/** The connection is gone: its socket broke, or the server ended it (class 08 and 57P). */
function isCut(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  return !(error as { severity?: unknown }).severity || /^(08|57P)/.test(code);
}

/** Counts and sums as numbers (none of ours comes near 2^53), texts as they were stored. */
function getTypeParser(id: number, format?: unknown): (text: string) => unknown {
  if (id === INT8 || id === NUMERIC) return Number;
  if (id === TEXT) return readText;
  return types.getTypeParser(id, format as "text") as (text: string) => unknown;
}
