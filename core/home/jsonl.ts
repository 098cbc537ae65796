/**
 * A file of JSON lines that many processes append to. Lines are gathered and written together, whole lines in one
 * `write` with O_APPEND, so that two processes never tear each other's; the file is rotated by size.
 */
import { appendFileSync, closeSync, fstatSync, readSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ensureFolder } from "./paths.ts";
import { openPrivateFile } from "./private-files.ts";

export interface JsonLinesFile {
  /** Takes one line without its newline. Never throws; a failing disk is reported once, see `onError`. */
  append(line: string): void;
  /** Writes what is waiting, now. */
  flush(): void;
  /** Flushes, and forgets the timer. */
  close(): void;
}

export interface JsonLinesOptions {
  readonly path: string;
  /** Rotate when the file has grown past this many bytes. */
  readonly maxBytes?: number;
  /** How many rotated files (`.1`, `.2`, …) are kept. */
  readonly keep?: number;
  /** How long lines may wait, in milliseconds. */
  readonly delay?: number;
  /** Told once when the file cannot be written; later lines are dropped in silence. */
  readonly onError?: (error: unknown) => void;
}

const MIB = 1024 * 1024;
const NEWLINE = 10;
/** How many rotated files are kept where nothing else is said; who reads them looks for as many. */
export const KEPT_FILES = 3;

export function openJsonLines(options: JsonLinesOptions): JsonLinesFile {
  const { path, maxBytes = 5 * MIB, keep = KEPT_FILES, delay = 50, onError } = options;
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let broken = false;

  function append(line: string): void {
    if (broken) return;
    waiting.push(line);
    timer ??= setTimeout(flush, delay).unref();
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0 || broken) return;
    const text = `${waiting.join("\n")}\n`;
    waiting = [];
    try {
      ensureFolder(dirname(path));
      rotate(path, maxBytes, keep);
      appendWhole(path, text);
    } catch (error) {
      broken = true;
      onError?.(error);
    }
  }

  return { append, flush, close: flush };
}

/** A process that was killed in the midst of a write leaves half a line, which must not swallow the next one. */
function appendWhole(path: string, text: string): void {
  const file = openPrivateFile(path, "a+");
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    const torn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
    appendFileSync(file, torn ? `\n${text}` : text);
  } finally {
    closeSync(file);
  }
}

/** Moves `path` to `path.1` and so on when it is too large. Another process that rotates meanwhile does no harm. */
function rotate(path: string, maxBytes: number, keep: number): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxBytes) return;
  for (let number = keep - 1; number >= 0; number--) {
    try {
      renameSync(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
    } catch (error) {
      // Not there yet, or another process has just moved it.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
