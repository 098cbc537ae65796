/**
 * Reads `logs/hooks.jsonl`, or another log of JSON lines, and its rotated files. Incomplete lines (of a process killed during a write) and lines that
 * are not records are skipped.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KEPT_FILES } from "./jsonl.ts";
import type { LoggedRun } from "#core/runs";

const CHUNK = 256 * 1024;
/** Longer lines are not records and are never kept in memory. */
const LONGEST_LINE = 1024 * 1024;
const NEWLINE = 10;
const POLL_MS = 100;

interface OpenFile {
  readonly descriptor: number;
  readonly inode: bigint;
}

/** The last `limit` runs, newest last, across the rotated files; none if the log is missing. Throws read errors. */
export function readRuns(path: string, limit: number): readonly LoggedRun[] {
  return readRecords(path, limit, parseRun);
}

/** Like {@link readRuns} for another log of JSON lines. */
export function readRecords<Record>(path: string, limit: number, parse: Parse<Record>): readonly Record[] {
  const files = openAll(path);
  try {
    return lastRecords(
      files.map((file) => ({ file, end: sizeOf(file) })),
      limit,
      parse,
    );
  } finally {
    for (const file of files) closeSync(file.descriptor);
  }
}

/**
 * The last `limit` runs, then each new one as it is written, even if the file is rotated, truncated or removed
 * meanwhile, until `signal` aborts. Rejects with read errors.
 */
export function followRuns(path: string, limit: number, signal: AbortSignal): AsyncGenerator<LoggedRun> {
  return followRecords(path, limit, { parse: parseRun, signal });
}

/** Like {@link followRuns} for another log of JSON lines. */
export async function* followRecords<Record>(
  path: string,
  limit: number,
  { parse, signal }: { readonly parse: Parse<Record>; readonly signal: AbortSignal },
): AsyncGenerator<Record> {
  const files = openAll(path);
  const [newest] = files;
  const tail = newest === undefined ? undefined : new Tail(newest, lastLineEnd(newest), parse);
  const backlog = lastRecords(
    files.map((file) => ({ file, end: file === newest ? tail!.position : sizeOf(file) })),
    limit,
    parse,
  );
  for (const file of files) if (file !== newest) closeSync(file.descriptor);
  yield* backlog;
  yield* followTail(path, tail, { parse, signal });
}

/** The record of a line; undefined when it is none. */
type Parse<Record> = (line: string) => Record | undefined;

async function* followTail<Record>(
  path: string,
  first: Tail<Record> | undefined,
  { parse, signal }: { readonly parse: Parse<Record>; readonly signal: AbortSignal },
): AsyncGenerator<Record> {
  let tail = first;
  /** Set when the files that replaced it were seen once, since a writer may still have had the old one open. */
  let left = false;
  try {
    while (!signal.aborted) {
      if (tail !== undefined) yield* tail.read();
      const later = filesAfter(path, tail?.file);
      if (later.length > 0 && (left || tail === undefined)) {
        if (tail !== undefined) closeSync(tail.file.descriptor);
        for (const file of later.slice(0, -1)) {
          const whole = new Tail(file, 0, parse);
          yield* whole.read();
          closeSync(file.descriptor);
        }
        tail = new Tail(later.at(-1)!, 0, parse);
        left = false;
        continue;
      }
      left = later.length > 0;
      for (const file of later) closeSync(file.descriptor);
      // An abort ends the pause, and then the loop.
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    if (tail !== undefined) closeSync(tail.file.descriptor);
  }
}

/** A file read from an offset; an incomplete last line waits for the rest. */
class Tail<Record> {
  readonly file: OpenFile;
  position: number;
  #rest = Buffer.alloc(0);
  /** True while the rest of a too long line is skipped. */
  #skipping = false;

  readonly #parse: Parse<Record>;

  constructor(file: OpenFile, position: number, parse: Parse<Record>) {
    this.file = file;
    this.position = position;
    this.#parse = parse;
  }

  *read(): Generator<Record> {
    if (sizeOf(this.file) < this.position) {
      // It was truncated, so its content is new.
      this.position = 0;
      this.#rest = Buffer.alloc(0);
    }
    for (let chunk = this.#next(); chunk.length > 0; chunk = this.#next()) {
      const text = Buffer.concat([this.#rest, chunk]);
      const end = text.lastIndexOf(NEWLINE) + 1;
      this.#rest = text.subarray(end);
      const lines = end === 0 ? [] : text.toString("utf8", 0, end - 1).split("\n");
      for (const line of this.#skipping ? lines.slice(1) : lines) {
        const record = this.#parse(line);
        if (record !== undefined) yield record;
      }
      if (end > 0) this.#skipping = false;
      if (this.#rest.length <= LONGEST_LINE) continue;
      this.#rest = Buffer.alloc(0);
      this.#skipping = true;
    }
  }

  #next(): Buffer {
    const chunk = readAt(this.file, this.position, CHUNK);
    this.position += chunk.length;
    return chunk;
  }
}

/** The file and its rotated files, newest first. */
function openAll(path: string): readonly OpenFile[] {
  const files: OpenFile[] = [];
  for (let number = 0; number <= KEPT_FILES; number++) {
    const file = openFile(number === 0 ? path : `${path}.${number}`);
    if (file === undefined) continue;
    // Rotated between two steps of this loop: it appears again under its next name.
    if (files.some(({ inode }) => inode === file.inode)) closeSync(file.descriptor);
    else files.push(file);
  }
  return files;
}

/** The files after this one, oldest first; all files if there was none. */
function filesAfter(path: string, last: OpenFile | undefined): readonly OpenFile[] {
  if (statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === last?.inode) return [];
  const all = openAll(path);
  const place = all.findIndex((file) => file.inode === last?.inode);
  const isLater = (file: OpenFile, index: number) =>
    // Removed or rotated away: all files written since then are later.
    place === -1 ? last === undefined || writtenAt(file) > writtenAt(last) : index < place;
  const later = all.filter(isLater);
  for (const file of all) if (!later.includes(file)) closeSync(file.descriptor);
  return later.toReversed();
}

function writtenAt({ descriptor }: OpenFile): bigint {
  return fstatSync(descriptor, { bigint: true }).mtimeNs;
}

function openFile(path: string): OpenFile | undefined {
  try {
    const descriptor = openSync(path, "r");
    return { descriptor, inode: fstatSync(descriptor, { bigint: true }).ino };
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function sizeOf({ descriptor }: OpenFile): number {
  return fstatSync(descriptor).size;
}

function readAt({ descriptor }: OpenFile, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, length, position));
}

interface Part {
  readonly file: OpenFile;
  /** Only content before this offset is used. */
  readonly end: number;
}

/** The last records of the files, which are given newest first; the records are returned newest last. */
function lastRecords<Record>(parts: readonly Part[], limit: number, parse: Parse<Record>): readonly Record[] {
  const records: Record[] = [];
  for (const { file, end } of parts) {
    for (const line of linesFromEnd(file, end)) {
      if (records.length >= limit) return records.toReversed();
      const record = parse(line);
      if (record !== undefined) records.push(record);
    }
  }
  return records.toReversed();
}

/** The lines before `end`, last one first, without reading more of the file than needed. */
function* linesFromEnd(file: OpenFile, end: number): Generator<string> {
  let rest = Buffer.alloc(0);
  for (let position = end; position > 0;) {
    const start = Math.max(0, position - CHUNK);
    const text = Buffer.concat([readAt(file, start, position - start), rest]);
    position = start;
    const first = start === 0 ? 0 : text.indexOf(NEWLINE) + 1;
    if (first === 0 && start > 0) {
      rest = text.length > LONGEST_LINE ? Buffer.alloc(0) : text;
      continue;
    }
    rest = text.subarray(0, first);
    yield* text.toString("utf8", first).split("\n").toReversed();
  }
}

/** Where the last whole line of the file ends. */
function lastLineEnd(file: OpenFile): number {
  for (let position = sizeOf(file); position > 0;) {
    const start = Math.max(0, position - CHUNK);
    const last = readAt(file, start, position - start).lastIndexOf(NEWLINE);
    if (last !== -1) return start + last + 1;
    position = start;
  }
  return 0;
}

/** The record of a line, with exactly its keys; undefined when it is not a record. */
export function parseRun(line: string): LoggedRun | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    // Incomplete, or not our line.
    return undefined;
  }
  const { time, event, source, name, outcome, cause, session_id: session } = value;
  const { command, detail, duration_ms: duration, exit_code: code, tool_name: tool, tool_call_id: call } = value;
  const isText = (field: unknown): field is string => typeof field === "string";
  if (!isText(time) || !isText(event) || !isText(source) || !isText(name) || !isText(outcome)) return undefined;
  return {
    time,
    event,
    source,
    name,
    command: isText(command) ? command : null,
    outcome,
    cause: cause === "error" || cause === "timeout" ? cause : null,
    detail: isText(detail) ? detail : null,
    duration_ms: typeof duration === "number" ? duration : 0,
    exit_code: typeof code === "number" ? code : null,
    session_id: isText(session) ? session : "",
    tool_name: isText(tool) ? tool : null,
    tool_call_id: isText(call) ? call : null,
  };
}
