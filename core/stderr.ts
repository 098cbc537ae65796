/**
 * The program's own standard error: warnings, progress, notices. On a terminal control characters are removed, because
 * the sentences name what models, hooks and files say; a pipe or a file gets the bytes as they are.
 */
import { isTerminal } from "./is-terminal.ts";
import { paint, plainText, showsColors, type StyledLine } from "./styled-text.ts";
import { screenPrinter } from "./terminal-screen.ts";
import { TerminalFilter } from "./terminal-text.ts";

const filter = new TerminalFilter();
let watched = false;
let wrap: ((line: string) => readonly string[]) | undefined;

/**
 * From now on, lines for a terminal on which no screen is drawn are broken as `toRows` says. Only for programs that talk
 * with a user: the lines of others are copied.
 */
export function wrapNotes(toRows: (line: string) => readonly string[]): void {
  wrap = toRows;
}

/** Writes text to standard error. A reader that is gone (`2>&1 | head`) is not an error. */
export function writeStderr(text: string): void {
  if (isTerminal(2)) draw(wrapped(filter.take(text)));
  else write(text);
}

/** Writes text in faint letters on a terminal that shows colours, else as {@link writeStderr} does. */
export function writeFaintStderr(text: string): void {
  if (!isTerminal(2) || process.env["NO_COLOR"]) return writeStderr(text);
  const lines = wrapped(filter.take(text)).split("\n");
  draw(lines.map((line) => (line === "" ? "" : `\u001b[2m${line}\u001b[22m`)).join("\n"));
}

/** Writes lines in their colours on a terminal that shows them, else as {@link writeStderr} does. */
export function writeStyledStderr(lines: readonly StyledLine[]): void {
  if (!isTerminal(2)) return write(lines.map((line) => `${plainText(line)}\n`).join(""));
  const isColored = showsColors(2);
  draw(lines.map((line) => `${paint(line, isColored)}\n`).join(""));
}

/** True where a line can be drawn over: on a terminal that understands escape sequences, without `NO_COLOR`. */
export function canRedraw(): boolean {
  return isTerminal(2) && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

/**
 * Replaces the line that the cursor is on by a faint one, or by nothing, and leaves the cursor at its beginning. The
 * text must be shorter than the terminal is wide. Only where {@link canRedraw} is true.
 */
export function redrawLine(text: string): void {
  const line = filter.take(text);
  write(line === "" ? "\r\u001b[K" : `\r\u001b[K\u001b[2m${line}\u001b[22m\r`);
}

/** Writes to the terminal, through the screen that draws on it if there is one. */
function draw(text: string): void {
  const print = screenPrinter();
  if (print === undefined) write(text);
  else print(text, "stderr");
}

/** A part of a line stays as it is, and a screen breaks lines by itself. */
function wrapped(text: string): string {
  if (wrap === undefined || !text.endsWith("\n") || screenPrinter() !== undefined) return text;
  return text.split("\n").flatMap(wrap).join("\n");
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
