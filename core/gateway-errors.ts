/** The errors of gateway hooks, the gateway and the dashboard; a part of the table in `errors.ts`. */
import { at, declare, EXIT } from "./error-declaration.ts";

export const GATEWAY_ERRORS = {
  HERMES_HOOK_MANIFEST: declare(
    EXIT.failed,
    (f: { file: string; line?: number | undefined; key?: string | undefined; problem: string }) =>
      `${at(f)}${f.key === undefined ? ": " : " "}${f.problem}`,
  ),
  HERMES_HANDLER_UNUSABLE: declare(
    EXIT.failed,
    (f: { name: string; file: string; problem: string }) =>
      `gateway hook "${f.name}" cannot be used: ${f.file}: ${f.problem}`,
  ),
  HERMES_HANDLER_FAILED: declare(
    EXIT.failed,
    (f: { name: string; event: string; problem: string }) =>
      `gateway hook "${f.name}" failed at ${f.event}: ${f.problem}`,
  ),
  HERMES_HANDLER_TIMEOUT: declare(
    EXIT.failed,
    (f: { name: string; event: string; seconds: number }) =>
      `gateway hook "${f.name}" did not end within ${f.seconds} s at ${f.event} and was stopped. timeout_seconds in its HOOK.yaml gives it longer.`,
  ),
  HERMES_HANDLER_DIED: declare(
    EXIT.failed,
    (f: { name: string; event: string; problem: string }) =>
      `gateway hook "${f.name}" ended its thread or process at ${f.event}: ${f.problem}`,
  ),
  HERMES_GATEWAY_NO_PLATFORM: declare(
    EXIT.usage,
    (f: { file: string }) =>
      `No platform is enabled, so nobody could reach the gateway. Write this to ${f.file}, for one:\n\n` +
      "gateway:\n  platforms:\n    api_server:\n      enabled: true\n\ndocs/gateway.md describes the platforms there are.",
  ),
  HERMES_GATEWAY_RUNNING: declare(
    EXIT.failed,
    (f: { pid: number }) =>
      `A gateway of this home runs already, as process ${f.pid}. Stop it first, or use another --home.`,
  ),
  HERMES_ADAPTER_CONFIG: declare(
    EXIT.usage,
    (f: { platform: string; problem: string }) =>
      `The platform ${f.platform} cannot run as it is configured: ${f.problem}`,
  ),
  HERMES_ADAPTER_START: declare(
    EXIT.failed,
    (f: { platform: string; problem: string }) => `The platform ${f.platform} cannot start: ${f.problem}`,
  ),
  HERMES_ADAPTER_SEND: declare(
    EXIT.failed,
    (f: { platform: string; problem: string }) => `The platform ${f.platform} did not take the message: ${f.problem}`,
  ),
  HERMES_MESSAGE_INVALID: declare(EXIT.failed, (f: { problem: string }) => `The message was not taken: ${f.problem}.`),
  HERMES_ACCESS_DENIED: declare(
    EXIT.failed,
    (f: { platform: string; user: string }) =>
      `The user "${f.user}" of ${f.platform} may not talk with this gateway. gateway.allowed_users in config.yaml or a pairing code lets people in.`,
  ),
  HERMES_GATEWAY_BUSY: declare(
    EXIT.failed,
    (f: { waiting: number }) =>
      `${f.waiting} messages wait in this conversation already, so this one was not taken. Send it again once they are answered, or send /stop.`,
  ),
  HERMES_GATEWAY_STOPPING: declare(
    EXIT.failed,
    () => "The gateway is stopping and takes no more messages. Send this one again in a moment.",
  ),
  HERMES_GATEWAY_STOPPED: declare(
    EXIT.failed,
    () => "I was stopped in the middle of this, because the gateway ends. Send the message again when I am back.",
  ),
  HERMES_MESSAGE_REPEATED: declare(
    EXIT.failed,
    (f: { id: string }) => `A message came before under the id ${JSON.stringify(f.id)}, so this one was not taken.`,
  ),
  HERMES_HOME_CHANNEL: declare(
    EXIT.failed,
    (f: { problem: string }) => `There is nobody to send this to: ${f.problem}`,
  ),
  HERMES_PAIRING_UNKNOWN: declare(EXIT.notFound, (f: { problem: string }) => f.problem),
  HERMES_PAIRING_EXPIRED: declare(
    EXIT.failed,
    (f: { platform: string; user: string }) =>
      `This code has expired; a code is good for one hour. Let the user ${f.user} of ${f.platform} write to the bot again: that brings a new one.`,
  ),
  HERMES_PAIRING_LOCKED: declare(
    EXIT.failed,
    (f: { until: string }) =>
      `Pairing is locked until ${f.until} after too many wrong codes; no code counts before. gateway.allowed_users in config.yaml lets people in without one.`,
  ),
  HERMES_DASHBOARD_PORT: declare(
    EXIT.failed,
    (f: { host: string; port: number }) =>
      `Port ${f.port} of ${f.host} is in use. Give another one with --port N, or --port 0 for one that is free.`,
  ),
  HERMES_DASHBOARD_BIND: declare(
    EXIT.failed,
    (f: { host: string; port: number; problem: string }) =>
      `The dashboard cannot listen on port ${f.port} of ${f.host}: ${f.problem}`,
  ),
  HERMES_DASHBOARD_EXPOSED: declare(
    EXIT.usage,
    (f: { host: string }) =>
      `A dashboard on ${f.host} can be reached by other machines, and what it shows travels unencrypted. Add --insecure if that is what you want.`,
  ),
  HERMES_DASHBOARD_NOT_RUNNING: declare(
    EXIT.notRunning,
    (f: { file: string; problem: string }) =>
      `No dashboard answers: ${f.file} ${f.problem}. "hermes dashboard" starts one.`,
  ),
} as const;
