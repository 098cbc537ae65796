/** A PostgreSQL server for tests. */
export { PostgresServer } from "../../.ci/postgres-server.ts";
