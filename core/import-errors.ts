/** The errors of importing hook settings; part of the table in `errors.ts`. */
import { at, declare, EXIT } from "./error-declaration.ts";

export const IMPORT_ERRORS = {
  HERMES_IMPORT_MISSING: declare(EXIT.notFound, (f: { problem: string }) => f.problem),
  HERMES_IMPORT_INVALID: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; column?: number | undefined; problem: string }) =>
      `${at(f)}${f.column === undefined ? "" : `:${f.column}`}: ${f.problem}`,
  ),
} as const;
