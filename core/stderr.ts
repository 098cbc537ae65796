/**
 * The program's own standard error: warnings, progress, notices. On a terminal control characters are removed, because
 * the sentences name what models, hooks and files say; a pipe or a file gets the bytes as they are.
 */
import { isatty } from "node:tty";
import { TerminalFilter } from "./terminal-text.ts";

const filter = new TerminalFilter();
let watched = false;

/** Writes text to standard error. A reader that is gone (`2>&1 | head`) is not an error. */
export function writeStderr(text: string): void {
  write(isatty(2) ? filter.take(text) : text);
}

/** Writes text in faint letters on a terminal that shows colours, else as {@link writeStderr} does. */
export function writeFaintStderr(text: string): void {
  if (!isatty(2) || process.env["NO_COLOR"]) return writeStderr(text);
  const end = text.endsWith("\n") ? "\n" : "";
  const line = filter.take(end === "" ? text : text.slice(0, -1));
  write(`\u001b[2m${line}\u001b[22m${end}`);
}

function write(text: string): void {
  keepStderr();
  process.stderr.write(text);
}

/** A reader that closes standard error early does not end the run. */
export function keepStderr(): void {
  if (watched) return;
  watched = true;
  process.stderr.on("error", () => undefined);
}
