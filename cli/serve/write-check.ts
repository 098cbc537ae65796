/** Asks the home's database by writing whether it takes writes. */
import { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";

/** Null when it does, else why not. Never waits for another process that writes. */
export function findWriteProblem(file: string): string | null {
  try {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      database.exec("BEGIN IMMEDIATE");
      // The version stays as it is, yet its page is written.
      const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
      database.exec(`PRAGMA user_version = ${version}; COMMIT`);
      return null;
    } finally {
      database.close();
    }
  } catch (error) {
    return problemOf(error);
  }
}
