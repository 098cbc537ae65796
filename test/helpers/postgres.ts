/** A PostgreSQL server for tests. */
export { PASSWORD, PostgresServer } from "../../.ci/servers/postgres.ts";
