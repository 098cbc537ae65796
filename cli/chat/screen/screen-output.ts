import type { WriteStream } from "node:tty";

/** The stream to draw on, or undefined where rows cannot be drawn over: a pipe, or a terminal without a cursor. */
export function screenOutput(): WriteStream | undefined {
  if (process.env["TERM"] === "dumb") return undefined;
  if (process.stderr.isTTY) return process.stderr;
  return process.stdout.isTTY ? process.stdout : undefined;
}
