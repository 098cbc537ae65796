/** Whether a database can be used, without changing anything in it. */
import { databaseUrl, PostgresDatabase } from "./database.ts";

/** Resolves with the server's version and whom it took us for. Rejects with HERMES_DATABASE_UNAVAILABLE. */
export async function checkDatabase(url: string): Promise<string> {
  await using database = new PostgresDatabase(databaseUrl(url));
  const [row] = await database.rows<{ version: string; user: string }>(
    `SELECT current_setting('server_version') AS version, current_user AS "user"`,
  );
  return `version ${row!.version}, connected as ${row!.user}`;
}
