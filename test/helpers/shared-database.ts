/** Runs the tests of tasks, webhooks and daemons on PostgreSQL: `HERMES_DATABASE_URL=… node test/run.ts process …`. */
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";

/** The database that the runner was given; undefined when homes keep everything in their `state.db`. */
const DATABASE = process.env["HERMES_TEST_DATABASE"] || undefined;

/** The variables that give one home a schema of its own, which is dropped after the test; none without a database. */
export function schemaFor(t: Pick<TestContext, "after">): NodeJS.ProcessEnv {
  if (DATABASE === undefined) return {};
  const url = new URL(DATABASE);
  url.searchParams.set("schema", `test_${randomBytes(6).toString("hex")}`);
  t.after(() => dropSchema(url.href));
  return { HERMES_DATABASE_URL: url.href };
}

async function dropSchema(url: string): Promise<void> {
  // Tests without a database do not load the driver.
  const { databaseUrl, PostgresDatabase } = await import("#daemon/storage/postgres/database");
  const at = databaseUrl(url);
  await using database = new PostgresDatabase(at);
  await database.run(`DROP SCHEMA IF EXISTS ${at.schema}, ${at.schema}_queue CASCADE`);
}
