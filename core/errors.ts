/**
 * Every error a person can meet, as a table of codes. The sentence is composed here and nowhere else;
 * docs/errors.md has one section a code (a test compares both directions). A retired code is never reused.
 */
import { at, declare, EXIT, type Declaration } from "./error-declaration.ts";
import { GATEWAY_ERRORS } from "./gateway-errors.ts";

export { EXIT } from "./error-declaration.ts";

export const ERRORS = {
  HERMES_USAGE: declare(EXIT.usage, (f: { problem: string }) => f.problem),
  HERMES_NODE_TOO_OLD: declare(
    EXIT.usage,
    (f: { found: string }) => `hermes needs Node.js 24.15 or newer; this is ${f.found}.`,
  ),
  HERMES_PLATFORM: declare(
    EXIT.usage,
    (f: { platform: string }) => `hermes does not support ${f.platform} yet; it runs on Linux and macOS.`,
  ),
  HERMES_CONFIG_UNREADABLE: declare(
    EXIT.usage,
    (f: { file: string; problem: string }) => `${f.file} cannot be read: ${f.problem}`,
  ),
  HERMES_CONFIG_WRITE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be written: ${f.problem}`,
  ),
  HERMES_CONFIG_SYNTAX: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; problem: string }) => `${at(f)}: not valid YAML: ${f.problem}`,
  ),
  HERMES_CONFIG_TYPE: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; key: string; problem: string }) => `${at(f)}: ${f.problem}`,
  ),
  HERMES_CONFIG_VARIABLE: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; key: string; variable: string }) =>
      `${at(f)}: the environment variable ${f.variable} is not set`,
  ),
  HERMES_EVENT_UNKNOWN: declare(
    EXIT.usage,
    (f: { event: string; hint: string }) => `There is no hook event "${f.event}".${f.hint}`,
  ),
  HERMES_PAYLOAD_INVALID: declare(
    EXIT.usage,
    (f: { source: string; problem: string }) => `${f.source} is not a payload: ${f.problem}`,
  ),
  HERMES_NO_MESSAGE: declare(
    EXIT.usage,
    () => "No message: give one with -q, --query-file or standard input, or start chat on a terminal.",
  ),
  HERMES_OUTPUT: declare(
    EXIT.failed,
    (f: { problem: string }) => `Standard output cannot be written: ${f.problem}. A part of the result is lost.`,
  ),
  HERMES_STATE_NEWER: declare(
    EXIT.failed,
    (f: { file: string; found: number; known: number }) =>
      `${f.file} was written by a newer hermes (schema ${f.found}, this program knows ${f.known}). Update hermes, or use another --home.`,
  ),
  HERMES_STATE_UNAVAILABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be used: ${f.problem}`,
  ),
  HERMES_SESSION_UNKNOWN: declare(EXIT.notFound, (f: { session: string }) =>
    f.session === "latest"
      ? "There is no session yet."
      : `There is no session "${f.session}". "hermes sessions list" shows those there are.`,
  ),
  HERMES_PLUGIN_UNKNOWN: declare(
    EXIT.notFound,
    (f: { plugin: string; hint: string }) => `There is no plugin "${f.plugin}".${f.hint}`,
  ),
  HERMES_PLUGIN_EXISTS: declare(EXIT.failed, (f: { path: string }) => `${f.path} exists already; nothing was written.`),
  HERMES_PLUGIN_WRITE: declare(
    EXIT.failed,
    (f: { path: string; problem: string }) => `${f.path} cannot be written: ${f.problem}`,
  ),
  HERMES_PLUGIN_NAME: declare(
    EXIT.usage,
    (f: { name: string }) =>
      `"${f.name}" is no plugin name: letters, digits, "-" and "_", beginning with a letter or digit.`,
  ),
  HERMES_PLUGIN_MANIFEST: declare(
    EXIT.failed,
    (f: { file: string; line?: number | undefined; key?: string | undefined; problem: string }) =>
      `${at(f)}${f.key === undefined ? ": " : " "}${f.problem}`,
  ),
  HERMES_PLUGIN_LOAD: declare(
    EXIT.failed,
    (f: { file: string; line?: number | undefined; problem: string }) => `${at(f)}: ${f.problem}`,
  ),
  HERMES_PLUGIN_COMMAND: declare(
    EXIT.failed,
    (f: { plugin: string; command: string; problem: string }) =>
      `The command /${f.command} of the plugin "${f.plugin}" failed: ${f.problem}`,
  ),
  HERMES_PLUGIN_UNAVAILABLE: declare(
    EXIT.failed,
    (f: { plugin: string; call: string }) =>
      `The plugin "${f.plugin}" called ctx.${f.call}, which this command does not offer.`,
  ),
  HERMES_HOOK_UNKNOWN: declare(
    EXIT.notFound,
    (f: { command: string; hint: string }) => `No approval names the command ${f.command}.${f.hint}`,
  ),
  HERMES_HOOK_THREW: declare(
    EXIT.failed,
    (f: { source: string; name: string; event: string; problem: string }) =>
      `${f.source} hook "${f.name}" failed at ${f.event}: ${f.problem}`,
  ),
  HERMES_HOOK_TIMEOUT: declare(
    EXIT.failed,
    (f: { source: string; name: string; event: string; seconds: number; cure: string }) =>
      `${f.source} hook "${f.name}" did not answer ${f.event} within ${f.seconds} s. ${f.cure}`,
  ),
  HERMES_HOOK_ANSWER: declare(
    EXIT.failed,
    (f: { source: string; name: string; event: string; problem: string }) =>
      `${f.source} hook "${f.name}" gave no valid answer to ${f.event}: ${f.problem}`,
  ),
  HERMES_HOOK_INTERRUPTED: declare(
    EXIT.failed,
    (f: { source: string; name: string; event: string; note?: string }) =>
      `${f.source} hook "${f.name}" was interrupted at ${f.event}.${f.note ?? ""}`,
  ),
  HERMES_HOOK_SCRIPT: declare(
    EXIT.failed,
    (f: { name: string; event: string; problem: string }) =>
      `shell hook "${f.name}" failed at ${f.event}: ${f.problem}`,
  ),
  HERMES_HOOK_UNAPPROVED: declare(
    EXIT.failed,
    (f: { name: string; event: string; reason: string }) =>
      `shell hook "${f.name}" may not run at ${f.event}: ${f.reason}`,
  ),
  HERMES_ALLOWLIST_UNUSABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) =>
      `${f.file} ${f.problem}; no approval counts and it is not overwritten. Mend or move it.`,
  ),
  HERMES_ALLOWLIST_LOCKED: declare(
    EXIT.failed,
    (f: { file: string }) => `${f.file} is locked by another hermes; nothing was written. Try again.`,
  ),
  HERMES_ALLOWLIST_UNWRITABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be written: ${f.problem}`,
  ),
  HERMES_NOTHING_RUNS: declare(
    EXIT.notRunning,
    (f: { home: string }) => `No process of hermes runs hooks in ${f.home} now; the next one reads everything anew.`,
  ),
  HERMES_RELOAD_REQUEST: declare(
    EXIT.failed,
    (f: { folder: string; problem: string }) =>
      `No process could be asked to reload, through ${f.folder}: ${f.problem}`,
  ),
  HERMES_LOG_UNREADABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be read: ${f.problem}`,
  ),
  ...GATEWAY_ERRORS,
  HERMES_MODEL_CONFIG: declare(EXIT.usage, (f: { problem: string }) => f.problem),
  HERMES_MODEL_REQUEST: declare(
    EXIT.failed,
    (f: { provider: string; model: string; problem: string; advice: string }) =>
      `The model ${f.model} (${f.provider}) failed: ${[f.problem.replace(/\.$/, ""), f.advice].filter(Boolean).join(". ")}`,
  ),
  HERMES_MODEL_STREAM_CUT: declare(
    EXIT.failed,
    (f: { provider: string; model: string }) =>
      `The answer of the model ${f.model} (${f.provider}) was cut off before its end.`,
  ),
  HERMES_TURN_LIMIT: declare(
    EXIT.turnLimit,
    (f: { limit: number }) => `The turn ended at its limit of ${f.limit} requests to the model.`,
  ),
  HERMES_INTERRUPTED: declare(EXIT.interrupted, () => "Interrupted."),
  HERMES_INTERNAL: declare(EXIT.failed, (f: { problem: string }) => `Something went wrong inside hermes: ${f.problem}`),
} as const;

export type ErrorCode = keyof typeof ERRORS;
type FieldsOf<Code extends ErrorCode> =
  Parameters<(typeof ERRORS)[Code]["compose"]> extends [infer Fields] ? Fields : Record<string, never>;

/** An error that a person is meant to read. `code` is a key of {@link ERRORS}, `fields` what its sentence was made of. */
export class HermesError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "HermesError";
  readonly code: Code;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly exitCode: number;

  constructor(code: Code, fields: FieldsOf<Code>, options?: ErrorOptions) {
    const declaration = ERRORS[code] as Declaration<FieldsOf<Code>>;
    super(declaration.compose(fields), options);
    this.code = code;
    this.fields = fields as Readonly<Record<string, unknown>>;
    this.exitCode = declaration.exit;
  }
}

/** True for a {@link HermesError}, also for one of another realm or thread: recognised by shape, not by class. */
export function isHermesError(value: unknown): value is HermesError {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { name?: unknown }).name === "HermesError" &&
    typeof (value as { code?: unknown }).code === "string"
  );
}

/** The text of anything that can be thrown: an error's message, else the value as text. Never throws itself. */
export function problemOf(thrown: unknown): string {
  try {
    if (typeof thrown === "object" && thrown !== null && "message" in thrown) return String(thrown.message);
    if (typeof thrown === "object" && thrown !== null) return JSON.stringify(thrown);
    return String(thrown);
  } catch {
    // A hostile toString or getter: the value cannot describe itself.
    return "a value that cannot be shown";
  }
}
