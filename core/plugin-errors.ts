/** The errors of installing plugins; part of the table in `errors.ts`. */
import { declare, EXIT } from "./error-declaration.ts";

export const PLUGIN_INSTALL_ERRORS = {
  HERMES_PLUGIN_SOURCE: declare(
    EXIT.usage,
    (f: { source: string; problem: string }) => `"${f.source}" is not a source of plugins: ${f.problem}`,
  ),
  HERMES_PLUGIN_INSTALL: declare(
    EXIT.failed,
    (f: { source: string; problem: string }) => `${f.source} cannot be installed: ${f.problem}`,
  ),
  HERMES_PLUGIN_NOT_INSTALLED: declare(
    EXIT.notFound,
    (f: { plugin: string; hint: string }) =>
      `No plugin "${f.plugin}" was installed with "hermes plugins install".${f.hint}`,
  ),
  HERMES_PLUGIN_RECORDS: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} does not say which plugins were installed: ${f.problem}`,
  ),
} as const;
