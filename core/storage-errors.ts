/** The errors of `state.db`, and of the database that several machines share. */
import { declare, EXIT } from "./error-declaration.ts";

export const STORAGE_ERRORS = {
  HERMES_STATE_NEWER: declare(
    EXIT.failed,
    (f: { file: string; found: number; known: number }) =>
      `${f.file} was written by a newer hermes (schema ${f.found}; this version supports up to ${f.known}). Update hermes, or use another --home.`,
  ),
  HERMES_STATE_UNAVAILABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be used: ${f.problem}`,
  ),
  HERMES_STATE_DAMAGED: declare(
    EXIT.failed,
    (f: { file: string; path: string; problem: string }) =>
      `${f.file} is damaged (${f.problem}) and was moved to ${f.path}. Run the command again to start with an empty one.`,
  ),
  HERMES_DATABASE_UNAVAILABLE: declare(
    EXIT.failed,
    (f: { database: string; problem: string }) => `The database ${f.database} cannot be used: ${f.problem}`,
  ),
  HERMES_DATABASE_NEWER: declare(
    EXIT.failed,
    (f: { database: string; found: number; known: number }) =>
      `The tables in the database ${f.database} are of a newer hermes (schema ${f.found}; this version supports up to ${f.known}). Update hermes on this machine.`,
  ),
  HERMES_DATABASE_URL: declare(EXIT.usage, (f: { source: string; problem: string }) => `${f.source}: ${f.problem}`),
} as const;
