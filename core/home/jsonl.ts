/**
 * A file of JSON lines that many processes append to. Lines are collected and written together, whole lines in one
 * `write` with O_APPEND, so that processes do not break each other's lines. The file is rotated by size.
 */
import { closeSync, fstatSync, readSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { problemOf } from "#core/errors";
import { escapeLineEnds } from "#core/line-endings";
import { ensureFolder } from "./paths.ts";
import { openPrivateFile } from "./private-files.ts";

export interface JsonLinesFile {
  /** Takes one line without its newline. Never throws; write errors are reported, see `onError`. */
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
  /** How long to wait after a failed write before the next try, in milliseconds; 5,000 without it. */
  readonly retryAfter?: number;
  /** Called when the file cannot be written any more. Lines are kept, up to a bound, until it can. */
  readonly onError?: (error: unknown) => void;
}

/** What is written first after an outage. */
export interface LostLines {
  readonly time: string;
  readonly lost_lines: number;
  /** Why they could not be written. */
  readonly problem: string;
}

const MIB = 1024 * 1024;
const NEWLINE = 10;
/** How many lines wait while the file cannot be written; more are only counted. */
const MOST_WAITING = 1000;
const RETRY_MS = 5000;
/** The default number of rotated files; readers look for as many. */
export const KEPT_FILES = 3;

export function openJsonLines(options: JsonLinesOptions): JsonLinesFile {
  const { path, maxBytes = 5 * MIB, keep = KEPT_FILES, delay = 50, retryAfter = RETRY_MS, onError } = options;
  const waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  /** Why the last write failed, while the file cannot be written. */
  let problem: string | undefined;
  let lost = 0;

  function append(line: string): void {
    if (problem !== undefined && waiting.length >= MOST_WAITING) {
      lost++;
      return;
    }
    waiting.push(escapeLineEnds(line));
    timer ??= setTimeout(flush, problem === undefined ? delay : retryAfter).unref();
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    try {
      ensureFolder(dirname(path));
      rotate(path, maxBytes, keep);
      waiting.unshift(...gap());
      lost = 0;
      appendWhole(path, waiting);
      problem = undefined;
    } catch (error) {
      const isNew = problem === undefined;
      problem = problemOf(error);
      lost += waiting.splice(MOST_WAITING).length;
      timer = setTimeout(flush, retryAfter).unref();
      if (isNew) onError?.(error);
    }
  }

  function gap(): readonly string[] {
    if (lost === 0) return [];
    const line: LostLines = { time: new Date().toISOString(), lost_lines: lost, problem: problem ?? "" };
    return [JSON.stringify(line)];
  }

  function close(): void {
    flush();
    clearTimeout(timer);
  }

  return { append, flush, close };
}

/**
 * Appends the lines and takes them from the list as they are written: a full disk may take a part. A process killed
 * during a write leaves an incomplete line, which must not merge with the next one.
 */
function appendWhole(path: string, lines: string[]): void {
  const file = openPrivateFile(path, "a+");
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    const torn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
    if (torn) writeSync(file, "\n");
    let rest = Buffer.from(`${lines.join("\n")}\n`);
    while (rest.length > 0) {
      const written = rest.subarray(0, writeSync(file, rest));
      lines.splice(0, written.filter((byte) => byte === NEWLINE).length);
      rest = rest.subarray(written.length);
    }
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
