/**
 * What a task has printed: its frames as JSON lines, up to a limit. Beyond it the beginning and the end are kept: the
 * end is in two files of which the older one is replaced, until the task ends and everything is one file.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ensureFolder } from "#core/home/paths";

/** How much of each is kept, in bytes: together 10 MiB. */
export const OUTPUT_LIMITS = { beginning: 5 * 1024 * 1024, end: 2.5 * 1024 * 1024 } as const;

interface OutputFiles {
  readonly whole: string;
  readonly end: string;
  readonly olderEnd: string;
}

/** The files of a task in the home's `tasks/`. */
function outputFiles(folder: string, id: string): OutputFiles {
  const whole = join(folder, `${id}.jsonl`);
  return { whole, end: `${whole}.end`, olderEnd: `${whole}.older` };
}

/** Deletes what a task has printed. */
export function removeOutput(folder: string, id: string): void {
  const { whole, end, olderEnd } = outputFiles(folder, id);
  for (const file of [whole, end, olderEnd]) rmSync(file, { force: true });
}

/** The line for what was left out. */
export function truncatedLine(bytes: number): string {
  return `${JSON.stringify({ type: "truncated", bytes })}\n`;
}

export class TaskOutput {
  readonly #files: OutputFiles;
  readonly #limits: typeof OUTPUT_LIMITS | { readonly beginning: number; readonly end: number };
  #file: number;
  #size = 0;
  #isEnd = false;
  #leftOut = 0;

  /** Starts an empty output, with mode 0600. Throws what the file system throws. */
  constructor(folder: string, id: string, limits = OUTPUT_LIMITS) {
    ensureFolder(folder);
    removeOutput(folder, id);
    this.#files = outputFiles(folder, id);
    this.#limits = limits;
    this.#file = openSync(this.#files.whole, "wx", 0o600);
  }

  /** Adds a frame as a line. Throws what the file system throws. */
  add(frame: object): void {
    const line = `${JSON.stringify(frame)}\n`;
    const bytes = Buffer.byteLength(line);
    const limit = this.#isEnd ? this.#limits.end : this.#limits.beginning;
    if (this.#size > 0 && this.#size + bytes > limit) this.#nextFile();
    writeSync(this.#file, line);
    this.#size += bytes;
  }

  /** Makes one file of everything. */
  close(): void {
    const { whole, end, olderEnd } = this.#files;
    closeSync(this.#file);
    if (!this.#isEnd) return;
    const rest = [olderEnd, end].filter((file) => existsSync(file)).map((file) => readFileSync(file));
    const file = openSync(whole, "a", 0o600);
    if (this.#leftOut > 0) writeSync(file, truncatedLine(this.#leftOut));
    for (const piece of rest) writeSync(file, piece);
    closeSync(file);
    for (const part of [end, olderEnd]) rmSync(part, { force: true });
  }

  #nextFile(): void {
    const { end, olderEnd } = this.#files;
    closeSync(this.#file);
    if (this.#isEnd) {
      if (existsSync(olderEnd)) this.#leftOut += sizeOf(olderEnd);
      renameSync(end, olderEnd);
    }
    this.#isEnd = true;
    this.#file = openSync(end, "wx", 0o600);
    this.#size = 0;
  }
}

function sizeOf(file: string): number {
  const opened = openSync(file, "r");
  try {
    return fstatSync(opened).size;
  } finally {
    closeSync(opened);
  }
}

/** The last frames of what a task has printed, a line each: whole lines within so many bytes of its end. */
export function readOutputEnd(folder: string, id: string, most: number): readonly string[] {
  const { whole, end, olderEnd } = outputFiles(folder, id);
  let text = "";
  for (const file of [end, olderEnd, whole]) {
    const left = most - Buffer.byteLength(text);
    if (left > 0 && existsSync(file)) text = endOf(file, left) + text;
  }
  return text.split("\n").slice(0, -1);
}

/** The whole lines within the last `most` bytes of a file. */
function endOf(path: string, most: number): string {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, most));
    const length = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.toString("utf8", 0, length);
    return size > most ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    closeSync(file);
  }
}

/** What a task has printed so far, a frame per line; nothing for a task without output. */
export function readOutput(folder: string, id: string): readonly string[] {
  const { whole, end, olderEnd } = outputFiles(folder, id);
  const pieces = [whole, olderEnd, end].map((file) => (existsSync(file) ? readFileSync(file, "utf8") : ""));
  return pieces.flatMap((text) => text.split("\n").slice(0, -1));
}
