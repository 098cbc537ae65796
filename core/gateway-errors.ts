/** The errors of gateway hooks, the gateway and the dashboard; part of the table in `errors.ts`. */
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
      `gateway hook "${f.name}" did not finish within ${f.seconds} s at ${f.event} and was stopped. If it needs longer, raise timeout_seconds in its HOOK.yaml.`,
  ),
  HERMES_HANDLER_DIED: declare(
    EXIT.failed,
    (f: { name: string; event: string; problem: string }) =>
      `gateway hook "${f.name}" ended its thread or process at ${f.event}: ${f.problem}`,
  ),
  HERMES_GATEWAY_NO_PLATFORM: declare(
    EXIT.usage,
    (f: { file: string }) =>
      `No platform is enabled, so nobody can reach the gateway. Set one up with "hermes gateway setup", or add this to ${f.file}:\n\n` +
      "gateway:\n  platforms:\n    api_server:\n      enabled: true\n\ndocs/gateway.md describes all platforms.",
  ),
  HERMES_GATEWAY_RUNNING: declare(
    EXIT.failed,
    (f: { pid: number }) =>
      `A gateway is already running for this home (process ${f.pid}). Stop it first, or use another --home.`,
  ),
  HERMES_SERVE_RUNNING: declare(
    EXIT.failed,
    (f: { pid: number }) =>
      `hermes serve is already running for this home (process ${f.pid}). Stop it first, or use another --home.`,
  ),
  HERMES_ADAPTER_CONFIG: declare(
    EXIT.usage,
    (f: { platform: string; problem: string }) =>
      `The platform ${f.platform} is not configured correctly: ${f.problem}`,
  ),
  HERMES_ADAPTER_START: declare(
    EXIT.failed,
    (f: { platform: string; problem: string }) => `The platform ${f.platform} cannot start: ${f.problem}`,
  ),
  HERMES_ADAPTER_SEND: declare(
    EXIT.failed,
    (f: { platform: string; problem: string }) => `The platform ${f.platform} did not accept the message: ${f.problem}`,
  ),
  HERMES_MESSAGE_INVALID: declare(EXIT.failed, (f: { problem: string }) => `The message was rejected: ${f.problem}.`),
  HERMES_ACCESS_DENIED: declare(
    EXIT.failed,
    (f: { platform: string; user: string }) =>
      `The user "${f.user}" on ${f.platform} is not allowed to use this gateway. Add them to gateway.allowed_users in config.yaml, or approve a pairing code.`,
  ),
  HERMES_GATEWAY_BUSY: declare(
    EXIT.failed,
    (f: { waiting: number }) =>
      `This conversation already has ${f.waiting} messages waiting, so this one was rejected. Send it again once they are answered, or send /stop.`,
  ),
  HERMES_GATEWAY_STOPPING: declare(
    EXIT.failed,
    () => "The gateway is shutting down and accepts no more messages. Send this one again in a moment.",
  ),
  HERMES_GATEWAY_STOPPED: declare(
    EXIT.failed,
    () => "The gateway shut down before I could finish. Please send your message again when I am back.",
  ),
  HERMES_MESSAGE_REPEATED: declare(
    EXIT.failed,
    (f: { id: string }) =>
      `A message with the id ${JSON.stringify(f.id)} was already received, so this one was ignored.`,
  ),
  HERMES_HOME_CHANNEL: declare(
    EXIT.failed,
    (f: { problem: string }) => `Cannot send to the home channel: ${f.problem}`,
  ),
  HERMES_PAIRING_UNKNOWN: declare(EXIT.notFound, (f: { problem: string }) => f.problem),
  HERMES_PAIRING_EXPIRED: declare(
    EXIT.failed,
    (f: { platform: string; user: string }) =>
      `This code has expired; codes are valid for one hour. Ask the user ${f.user} on ${f.platform} to message the bot again for a new one.`,
  ),
  HERMES_PAIRING_LOCKED: declare(
    EXIT.failed,
    (f: { until: string }) =>
      `Pairing is locked until ${f.until} after too many wrong codes. To allow a user without a code, add them to gateway.allowed_users in config.yaml.`,
  ),
  HERMES_MONITORING_PORT: declare(
    EXIT.failed,
    (f: { key: string; host: string; port: number; problem: string }) =>
      `${f.key} cannot be served on ${f.host}, port ${f.port}: ${f.problem}. Change ${f.key}.port or ${f.key}.host in config.yaml.`,
  ),
  HERMES_DASHBOARD_PORT: declare(
    EXIT.failed,
    (f: { host: string; port: number }) =>
      `Port ${f.port} on ${f.host} is in use. Set dashboard.port to another one, or run "hermes dashboard" with --port N (0 for any free port).`,
  ),
  HERMES_DASHBOARD_BIND: declare(
    EXIT.failed,
    (f: { host: string; port: number; problem: string }) =>
      `The dashboard cannot listen on ${f.host}, port ${f.port}: ${f.problem} (check dashboard.host and dashboard.port, or --host and --port)`,
  ),
  HERMES_DASHBOARD_EXPOSED: declare(
    EXIT.usage,
    (f: { host: string }) =>
      `A dashboard on ${f.host} is reachable from other machines over unencrypted HTTP. Add --insecure if that is what you want.`,
  ),
  HERMES_DASHBOARD_NOT_RUNNING: declare(
    EXIT.notRunning,
    (f: { file: string; problem: string }) =>
      `No dashboard is running: ${f.file} ${f.problem}. Start one with "hermes dashboard".`,
  ),
} as const;
