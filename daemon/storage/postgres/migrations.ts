/** The tables in PostgreSQL, and how a database of an earlier version gets there. Times are milliseconds since 1970. */
import { HermesError } from "#core/errors";
import type { DatabaseUrl, PostgresDatabase } from "./database.ts";
import type { Sql } from "./sql.ts";

/** Migrations only go forward and are never edited: each is run once, in this order, in one transaction. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE deliveries (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id TEXT COLLATE "C" NOT NULL UNIQUE,
     event TEXT NOT NULL,
     endpoint TEXT NOT NULL,
     payload TEXT NOT NULL,
     status TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     due_at BIGINT NOT NULL,
     leased_until BIGINT,
     leased_by TEXT,
     changed_at BIGINT NOT NULL,
     last_status INTEGER,
     last_error TEXT,
     created_at BIGINT NOT NULL,
     delivered_at BIGINT
   );
   CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, number) WHERE status = 'pending';
   CREATE INDEX deliveries_by_status ON deliveries (status, number);
   CREATE INDEX deliveries_leased ON deliveries (leased_by) WHERE leased_by IS NOT NULL;
   CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint, number);
   CREATE TABLE delivery_attempts (
     delivery BIGINT NOT NULL REFERENCES deliveries (number) ON DELETE CASCADE,
     number BIGINT GENERATED ALWAYS AS IDENTITY,
     at TEXT NOT NULL,
     status INTEGER,
     error TEXT,
     duration_ms DOUBLE PRECISION NOT NULL
   );
   CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery, number);
   CREATE TABLE disabled_endpoints (name TEXT PRIMARY KEY, disabled_at BIGINT NOT NULL);
   CREATE TABLE tasks (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id TEXT COLLATE "C" NOT NULL UNIQUE,
     status TEXT NOT NULL,
     prompt TEXT NOT NULL,
     cwd TEXT NOT NULL,
     tag TEXT,
     settings TEXT NOT NULL,
     idempotency_key TEXT UNIQUE,
     foreground BOOLEAN NOT NULL,
     created_at BIGINT NOT NULL,
     started_at BIGINT,
     ended_at BIGINT,
     attempt INTEGER NOT NULL DEFAULT 1,
     taken_up BOOLEAN NOT NULL DEFAULT FALSE,
     announced BOOLEAN NOT NULL DEFAULT FALSE,
     cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
     cancel_space TEXT,
     session_id TEXT,
     tokens_used BIGINT,
     tools_called BIGINT,
     exit_code INTEGER,
     ended_by TEXT,
     error TEXT,
     job UUID,
     leased_until BIGINT,
     host TEXT,
     home TEXT,
     space TEXT,
     pid INTEGER,
     pid_start TEXT,
     holder INTEGER,
     holder_start TEXT
   );
   CREATE INDEX tasks_by_status ON tasks (status, number);
   CREATE INDEX tasks_queued ON tasks (tag, number) WHERE status = 'queued';
   CREATE INDEX tasks_by_job ON tasks (job) WHERE status = 'queued';
   CREATE INDEX tasks_running ON tasks (home) WHERE status = 'running';
   CREATE INDEX tasks_by_end ON tasks (ended_at) WHERE ended_at IS NOT NULL;
   CREATE TABLE workers (
     id TEXT PRIMARY KEY,
     host TEXT NOT NULL,
     space TEXT NOT NULL,
     pid INTEGER NOT NULL,
     pid_start TEXT,
     tags TEXT NOT NULL,
     concurrency INTEGER NOT NULL,
     started_at BIGINT NOT NULL,
     heartbeat_at BIGINT NOT NULL
   );
   CREATE TABLE task_outputs (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     task TEXT COLLATE "C" NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
     attempt INTEGER NOT NULL,
     lines TEXT NOT NULL
   );
   CREATE INDEX task_outputs_by_task ON task_outputs (task, attempt, number);
   CREATE TABLE inbox_messages (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id TEXT COLLATE "C" NOT NULL UNIQUE,
     session TEXT NOT NULL,
     source TEXT NOT NULL,
     label TEXT NOT NULL,
     content TEXT NOT NULL,
     state TEXT NOT NULL,
     cuts INTEGER NOT NULL DEFAULT 0,
     created_at BIGINT NOT NULL,
     ended_at BIGINT,
     space TEXT,
     holder INTEGER,
     holder_start TEXT,
     answer TEXT,
     problem TEXT
   );
   CREATE INDEX inbox_messages_by_state ON inbox_messages (session, state, number);
   CREATE INDEX inbox_messages_open ON inbox_messages (session, source) WHERE state IN ('queued', 'running');
   CREATE TABLE inbox_ids (
     scope TEXT NOT NULL,
     id TEXT NOT NULL,
     remembered_at BIGINT NOT NULL,
     PRIMARY KEY (scope, id)
   );
   CREATE TABLE inbox_tasks (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     task TEXT NOT NULL UNIQUE,
     session TEXT NOT NULL
   );
   CREATE TABLE daemons (
     name TEXT PRIMARY KEY,
     host TEXT NOT NULL,
     space TEXT,
     pid INTEGER NOT NULL,
     pid_start TEXT,
     session_id TEXT,
     state TEXT NOT NULL,
     hooks TEXT NOT NULL,
     started_at BIGINT NOT NULL,
     beat_at BIGINT NOT NULL,
     stop_requested BOOLEAN NOT NULL DEFAULT FALSE
   );
   CREATE TABLE schedules (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id TEXT COLLATE "C" NOT NULL UNIQUE,
     name TEXT NOT NULL,
     time TEXT NOT NULL,
     prompt TEXT NOT NULL,
     next_at BIGINT NOT NULL,
     set_at BIGINT NOT NULL
   );
   CREATE INDEX schedules_by_time ON schedules (name, next_at);
   CREATE TABLE inbound_runs (
     number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id TEXT COLLATE "C" NOT NULL UNIQUE,
     session TEXT NOT NULL,
     hook TEXT NOT NULL,
     state TEXT NOT NULL,
     variables TEXT NOT NULL,
     body BYTEA NOT NULL,
     dedup_id TEXT,
     coalesce_key TEXT,
     window_ends_at BIGINT,
     output TEXT,
     status INTEGER,
     exit_code INTEGER,
     created_at BIGINT NOT NULL,
     started_at BIGINT,
     ended_at BIGINT
   );
   CREATE INDEX inbound_runs_open ON inbound_runs (session, hook, number) WHERE state IN ('queued', 'running');
   CREATE INDEX inbound_runs_ended ON inbound_runs (ended_at) WHERE ended_at IS NOT NULL;
   CREATE TABLE counters (
     name TEXT NOT NULL,
     labels TEXT NOT NULL,
     shard INTEGER NOT NULL,
     amount DOUBLE PRECISION NOT NULL,
     PRIMARY KEY (name, labels, shard)
   );`,
];

/**
 * Creates or upgrades the schema if needed; processes that do so at the same time wait for each other. Rejects with
 * HERMES_DATABASE_NEWER for one of a newer version, and HERMES_DATABASE_UNAVAILABLE.
 */
export async function migrate(database: PostgresDatabase, at: DatabaseUrl): Promise<void> {
  if ((await versionOf(database, at)) === MIGRATIONS.length) return;
  await database.transaction(async (tx) => {
    await tx.lock("migrations");
    const found = await versionOf(tx, at);
    if (found === 0) {
      await tx.run(`CREATE SCHEMA IF NOT EXISTS ${at.schema}`);
      await tx.run("CREATE TABLE IF NOT EXISTS version (version INTEGER NOT NULL)");
      await tx.run("INSERT INTO version VALUES (0)");
    }
    for (const migration of MIGRATIONS.slice(found)) await runScript(tx, migration);
    await tx.run("UPDATE version SET version = $1", MIGRATIONS.length);
  });
}

/** 0 without a schema. */
async function versionOf(sql: Sql, { schema, shown }: DatabaseUrl): Promise<number> {
  // Not to_regclass: it may answer from before the wait for the lock.
  const [there] = await sql.rows(
    `SELECT 1 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'version'`,
    schema,
  );
  if (there === undefined) return 0;
  const [row] = await sql.rows<{ version: number }>("SELECT version FROM version");
  const found = row?.version ?? 0;
  if (found <= MIGRATIONS.length) return found;
  throw new HermesError("HERMES_DATABASE_NEWER", { database: shown, found, known: MIGRATIONS.length });
}

async function runScript(tx: Sql, script: string): Promise<void> {
  for (const statement of script.split(/;\s*(?:\n|$)/)) if (statement.trim() !== "") await tx.run(statement);
}
