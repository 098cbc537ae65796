/**
 * Every error a user can see, as a table of codes. Messages are composed here and nowhere else;
 * docs/errors.md has one section per code (a test checks both directions). A retired code is never reused.
 */
import { at, declare, EXIT, type Declaration } from "./error-declaration.ts";
import { DAEMON_ERRORS } from "./daemon-errors.ts";
import { GATEWAY_ERRORS } from "./gateway-errors.ts";
import { INBOUND_ERRORS } from "./inbound-errors.ts";
import { IMPORT_ERRORS } from "./import-errors.ts";
import { MCP_ERRORS } from "./mcp-errors.ts";
import { PLUGIN_INSTALL_ERRORS } from "./plugin-errors.ts";
import { STORAGE_ERRORS } from "./storage-errors.ts";

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
  HERMES_CONFIG_ACCESS: declare(
    EXIT.usage,
    (f: { file: string; problem: string }) => `${f.file} is not used, because others could change it: ${f.problem}`,
  ),
  HERMES_CONFIG_WRITE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be written: ${f.problem}`,
  ),
  HERMES_CONFIG_SYNTAX: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; problem: string; excerpt?: string | undefined }) =>
      `${at(f)}: not valid YAML: ${f.problem}${f.excerpt ?? ""}`,
  ),
  HERMES_CONFIG_TYPE: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; key: string; problem: string }) => `${at(f)}: ${f.problem}`,
  ),
  HERMES_CONFIG_VARIABLE: declare(
    EXIT.usage,
    (f: { file: string; line?: number | undefined; key: string; variable: string }) =>
      `${at(f)}: the environment variable ${f.variable} is not set or empty`,
  ),
  HERMES_INSIDE_AGENT: declare(
    EXIT.failed,
    (f: { what: string }) =>
      `${f.what} is refused here: this hermes was started by a tool of the agent that it would affect.`,
  ),
  HERMES_HIDDEN: declare(
    EXIT.failed,
    (f: { what: string }) =>
      `${f.what} cannot run here: the sandbox of the agent's commands hides what it needs. Run it in your own terminal.`,
  ),
  HERMES_SANDBOX: declare(EXIT.failed, (f: { problem: string }) => `The command was not run: ${f.problem}.`),
  HERMES_EVENT_UNKNOWN: declare(
    EXIT.usage,
    (f: { event: string; hint: string }) => `There is no hook event "${f.event}".${f.hint}`,
  ),
  HERMES_PAYLOAD_INVALID: declare(
    EXIT.usage,
    (f: { source: string; problem: string }) => `${f.source} is not a valid payload: ${f.problem}`,
  ),
  HERMES_NO_MESSAGE: declare(
    EXIT.usage,
    () => "No message. Pass one with -q, --query-file or standard input, or start the chat in a terminal.",
  ),
  HERMES_OUTPUT: declare(
    EXIT.failed,
    (f: { problem: string }) => `Cannot write to standard output: ${f.problem}. Part of the result is lost.`,
  ),
  HERMES_SESSION_UNKNOWN: declare(EXIT.notFound, (f: { session: string }) =>
    f.session === "latest"
      ? "There are no sessions yet."
      : `There is no session "${f.session}". Run "hermes sessions list" to see all sessions.`,
  ),
  HERMES_ID_UNKNOWN: declare(
    EXIT.notFound,
    (f: { noun: string; id: string; list: string }) =>
      `There is no ${f.noun} "${f.id}". Run "${f.list}" to see their ids.`,
  ),
  HERMES_ID_AMBIGUOUS: declare(
    EXIT.usage,
    (f: { id: string; candidates: readonly string[] }) =>
      `Several ids begin with "${f.id}": ${f.candidates.join(", ")}.`,
  ),
  HERMES_ENDPOINT_UNKNOWN: declare(
    EXIT.notFound,
    (f: { endpoint: string; hint: string }) => `There is no webhook endpoint "${f.endpoint}".${f.hint}`,
  ),
  HERMES_TASK_STATE: declare(
    EXIT.failed,
    (f: { id: string; status: string; problem: string }) => `Task ${f.id} is ${f.status}: ${f.problem}.`,
  ),
  HERMES_WORKER_START: declare(
    EXIT.failed,
    (f: { folder: string; problem: string }) => `The worker cannot start: ${f.folder} cannot be written: ${f.problem}`,
  ),
  HERMES_BACKGROUND_OFF: declare(
    EXIT.usage,
    () => "Tasks in the background are switched off: background.enabled is false in config.yaml.",
  ),
  HERMES_PLUGIN_UNKNOWN: declare(
    EXIT.notFound,
    (f: { plugin: string; hint: string }) => `There is no plugin "${f.plugin}".${f.hint}`,
  ),
  HERMES_PLUGIN_EXISTS: declare(EXIT.failed, (f: { path: string }) => `${f.path} already exists; nothing was written.`),
  HERMES_PLUGIN_WRITE: declare(
    EXIT.failed,
    (f: { path: string; problem: string }) => `${f.path} cannot be written: ${f.problem}`,
  ),
  HERMES_PLUGIN_NAME: declare(
    EXIT.usage,
    (f: { name: string }) =>
      `"${f.name}" is not a valid plugin name. Use letters, digits, "-" and "_", starting with a letter or digit.`,
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
      `The plugin "${f.plugin}" called ctx.${f.call}, which is not available in this command.`,
  ),
  HERMES_HOOK_UNKNOWN: declare(
    EXIT.notFound,
    (f: { command: string; hint: string }) => `There is no approval for the command ${f.command}.${f.hint}`,
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
      `${f.source} hook "${f.name}" gave an invalid answer to ${f.event}: ${f.problem}`,
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
      `shell hook "${f.name}" is not allowed to run at ${f.event}: ${f.reason}`,
  ),
  HERMES_ALLOWLIST_UNUSABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) =>
      `${f.file} ${f.problem}. Its approvals are ignored and it is not overwritten. Fix the file or move it away.`,
  ),
  HERMES_ALLOWLIST_LOCKED: declare(
    EXIT.failed,
    (f: { file: string }) => `${f.file} is locked by another hermes process; nothing was written. Try again.`,
  ),
  HERMES_ALLOWLIST_UNWRITABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be written: ${f.problem}`,
  ),
  HERMES_RULE_UNKNOWN: declare(
    EXIT.notFound,
    (f: { rule: string; hint: string }) => `There is no command rule "${f.rule}".${f.hint}`,
  ),
  HERMES_NOTHING_RUNS: declare(
    EXIT.notRunning,
    (f: { home: string }) =>
      `No hermes process is running hooks in ${f.home}. The next one to start will read the current files.`,
  ),
  HERMES_RELOAD_REQUEST: declare(
    EXIT.failed,
    (f: { folder: string; problem: string }) => `Cannot send the reload request through ${f.folder}: ${f.problem}`,
  ),
  HERMES_LOG_UNREADABLE: declare(
    EXIT.failed,
    (f: { file: string; problem: string }) => `${f.file} cannot be read: ${f.problem}`,
  ),
  ...GATEWAY_ERRORS,
  ...DAEMON_ERRORS,
  ...INBOUND_ERRORS,
  ...IMPORT_ERRORS,
  ...PLUGIN_INSTALL_ERRORS,
  ...MCP_ERRORS,
  ...STORAGE_ERRORS,
  HERMES_MODEL_CONFIG: declare(EXIT.usage, (f: { problem: string }) => f.problem),
  HERMES_MODEL_REQUEST: declare(
    EXIT.failed,
    (f: { provider: string; model: string; problem: string; advice: string }) =>
      `The model ${f.model} (${f.provider}) failed: ${[f.problem.replace(/\.$/, ""), f.advice].filter(Boolean).join(". ")}`,
  ),
  HERMES_MODEL_STREAM_CUT: declare(
    EXIT.failed,
    (f: { provider: string; model: string }) => `The answer of the model ${f.model} (${f.provider}) was cut off.`,
  ),
  HERMES_MODEL_TIMEOUT: declare(
    EXIT.failed,
    (f: { provider: string; model: string; problem: string }) =>
      `The model ${f.model} (${f.provider}) did not answer: ${f.problem}. Raise model.timeout_seconds if it needs longer.`,
  ),
  HERMES_TURN_LIMIT: declare(
    EXIT.turnLimit,
    (f: { limit: number }) => `The turn reached its limit of ${f.limit} model requests.`,
  ),
  HERMES_COMPACTION: declare(
    EXIT.failed,
    (f: { problem: string }) => `The session was not compacted: ${f.problem}. Its messages are unchanged.`,
  ),
  HERMES_INTERRUPTED: declare(EXIT.interrupted, () => "Interrupted."),
  HERMES_INTERNAL: declare(EXIT.failed, (f: { problem: string }) => `Something went wrong inside hermes: ${f.problem}`),
} as const;

export type ErrorCode = keyof typeof ERRORS;
type FieldsOf<Code extends ErrorCode> =
  Parameters<(typeof ERRORS)[Code]["compose"]> extends [infer Fields] ? Fields : Record<string, never>;

/** An error for users to read. `code` is a key of {@link ERRORS}, `fields` are the values in its message. */
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

/** True for a {@link HermesError}, also from another realm or thread: recognised by its shape. Never throws. */
export function isHermesError(value: unknown): value is HermesError {
  if (typeof value !== "object" || value === null) return false;
  try {
    const { name, code, message } = value as { name?: unknown; code?: unknown; message?: unknown };
    return name === "HermesError" && typeof code === "string" && typeof message === "string";
  } catch {
    // A getter threw, so it is not one of our errors.
    return false;
  }
}

/** The text of anything that was thrown: an error's message, else the value as text. Never throws. */
export function problemOf(thrown: unknown): string {
  try {
    if (typeof thrown === "object" && thrown !== null && "message" in thrown) {
      // The error of a connection to each address of a name says nothing itself.
      const { message, errors } = thrown as { message: unknown; errors?: unknown };
      return message === "" && Array.isArray(errors) && errors.length > 0 ? problemOf(errors[0]) : String(message);
    }
    if (typeof thrown === "object" && thrown !== null) return JSON.stringify(thrown);
    return String(thrown);
  } catch {
    // A hostile toString or getter: the value cannot describe itself.
    return "a value that cannot be shown";
  }
}
