/** A line of the log as a message of syslog (RFC 5424). */
import { hostname } from "node:os";
import { SYSLOG_FACILITIES } from "#core/home/logging-settings";

export type Facility = (typeof SYSLOG_FACILITIES)[number];

/** How pino begins each line. */
const HEAD = /^\{"level":(\d+),"time":"([^"\s]+)"/;
const ERROR_LEVEL = 50;
const WARN_LEVEL = 40;
const INFO_LEVEL = 30;

/** The message, without framing. The line is its text; level and time are also where syslog expects them. */
export function syslogMessage(line: string, facility: Facility): string {
  const [, level = "30", time = new Date().toISOString()] = HEAD.exec(line) ?? [];
  const priority = SYSLOG_FACILITIES.indexOf(facility) * 8 + severityOf(Number(level));
  return `<${priority}>1 ${time} ${HOST} hermes ${process.pid} - - ${line}`;
}

/** The message with its length before it, for streams (RFC 6587, 3.4.1; RFC 5425). */
export function countedFrame(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

/** At most so many bytes of a message, without breaking a character: a datagram has a limit. */
export function cutToBytes(message: string, most: number): Buffer {
  const bytes = Buffer.from(message);
  if (bytes.length <= most) return bytes;
  let end = most;
  while (end > 0 && (bytes[end]! & 0b1100_0000) === 0b1000_0000) end--;
  return bytes.subarray(0, end);
}

/** Numbers of RFC 5424, 6.2.1: error, warning, informational, debug. */
function severityOf(level: number): number {
  if (level >= ERROR_LEVEL) return 3;
  if (level >= WARN_LEVEL) return 4;
  return level >= INFO_LEVEL ? 6 : 7;
}

/** Printable ASCII, at most 255 characters; `-` for none (RFC 5424, 6.2.4). */
const HOST =
  hostname()
    .replaceAll(/[^!-~]/g, "")
    .slice(0, 255) || "-";
