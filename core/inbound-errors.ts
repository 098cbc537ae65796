/** The errors of inbound webhooks; part of the table in `errors.ts`. */
import { declare, EXIT } from "./error-declaration.ts";

export const INBOUND_ERRORS = {
  HERMES_INBOUND_UNKNOWN: declare(
    EXIT.usage,
    (f: { name: string; hint: string }) => `There is no inbound webhook "${f.name}" in config.yaml.${f.hint}`,
  ),
  HERMES_INBOUND_SCRIPT: declare(
    EXIT.usage,
    (f: { name: string; problem: string }) => `The script of the inbound webhook "${f.name}" cannot run: ${f.problem}.`,
  ),
  HERMES_INBOUND_UNAPPROVED: declare(
    EXIT.failed,
    (f: { name: string; script: string; reason: string }) =>
      `The script ${f.script} of the inbound webhook "${f.name}" may not run: ${f.reason}`,
  ),
  HERMES_INBOUND_PORT: declare(
    EXIT.failed,
    (f: { name: string; host: string; port: number }) =>
      `Port ${f.port} on ${f.host} is in use, so the inbound webhook "${f.name}" cannot start. Change its "bind", or stop the program that uses the port.`,
  ),
  HERMES_INBOUND_BIND: declare(
    EXIT.failed,
    (f: { name: string; host: string; port: number; problem: string }) =>
      `The inbound webhook "${f.name}" cannot listen on ${f.host}, port ${f.port}: ${f.problem}`,
  ),
} as const;
