/** The errors of sessions that stay, and of the commands that talk to them; part of the table in `errors.ts`. */
import { declare, EXIT } from "./error-declaration.ts";

export const DAEMON_ERRORS = {
  HERMES_DAEMON_UNKNOWN: declare(
    EXIT.notRunning,
    (f: { name: string; hint: string }) =>
      `No daemon "${f.name}" is running.${f.hint || ` Start it with: hermes run --daemon --name '${f.name}'`}`,
  ),
  HERMES_DAEMON_RUNNING: declare(
    EXIT.failed,
    (f: { name: string; pid: number; host?: string }) =>
      `The daemon "${f.name}" is already running (pid ${f.pid}${f.host === undefined ? "" : ` on ${f.host}`}). Talk to it with "hermes send", or end it with "hermes stop".`,
  ),
  HERMES_DAEMON_ELSEWHERE: declare(
    EXIT.failed,
    (f: { name: string; pid: number; host: string; command: string }) =>
      `The daemon "${f.name}" runs on ${f.host} (pid ${f.pid}), and its frames can be seen there only: run "${f.command}" there.`,
  ),
  HERMES_DAEMON_START: declare(
    EXIT.failed,
    (f: { name: string; problem: string }) => `The daemon "${f.name}" cannot start: ${f.problem}`,
  ),
  HERMES_DAEMON_ANSWER: declare(
    EXIT.failed,
    (f: { name: string; problem: string }) => `The daemon "${f.name}" did not answer: ${f.problem}`,
  ),
  HERMES_DAEMON_TURN: declare(EXIT.failed, (f: { problem: string }) => `The turn failed: ${f.problem}`),
  HERMES_INBOX_FULL: declare(
    EXIT.failed,
    (f: { name: string; most: number }) =>
      `The inbox of "${f.name}" is full: ${f.most} messages are waiting. Nothing was stored; try again later.`,
  ),
  HERMES_SCHEDULE_TIME: declare(EXIT.usage, (f: { when: string; problem: string }) => `"${f.when}" ${f.problem}.`),
  HERMES_SCHEDULES_FULL: declare(
    EXIT.failed,
    (f: { name: string; most: number }) => `"${f.name}" has ${f.most} schedules already. Remove one first.`,
  ),
} as const;
