/**
 * A file of JSON lines that many processes append to. Lines are collected and written together, whole lines in one
 * `write` with O_APPEND, so that processes do not break each other's lines. The file is rotated by size.
 */
import { appendFileSync, closeSync, fstatSync, readSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ensureFolder } from "./paths.ts";
import { openPrivateFile } from "./private-files.ts";

export interface JsonLinesFile {
  /** Takes one line without its newline. Never throws; write errors are reported once, see `onError`. */
  append(line: string): void;
  /** Writes waiting lines now. */
  flush(): void;
  /** Flushes and clears the timer. */
  close(): void;
}

export interface JsonLinesOptions {
  readonly path: string;
  /** The file is rotated when it is larger than this, in bytes. */
  readonly maxBytes?: number;
  /** How many rotated files (`.1`, `.2`, …) are kept. */
  readonly keep?: number;
  /** How long lines may wait before they are written, in milliseconds. */
  readonly delay?: number;
  /** Called once when the file cannot be written; later lines are dropped silently. */
  readonly onError?: (error: unknown) => void;
}

const MIB = 1024 * 1024;
const NEWLINE = 10;
/** The default number of rotated files; readers look for as many. */
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

/** A process killed during a write leaves an incomplete line, which must not merge with the next one. */
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

/** Moves `path` to `path.1` and so on when it is too large. Another process may rotate at the same time. */
function rotate(path: string, maxBytes: number, keep: number): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxBytes) return;
  for (let number = keep - 1; number >= 0; number--) {
    try {
      renameSync(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
    } catch (error) {
      // It does not exist yet, or another process has just moved it.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
