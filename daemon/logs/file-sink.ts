/** A file of lines that is rotated by size and written by one process at a time; others send it their lines. */
import { constants } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { ensureFolder } from "#core/home/paths";
import { acquireFileLock, FileLockedError, type FileLock } from "./file-lock.ts";
import { connectToWriter, receiveLines, type LineReceiver, type LineSender } from "./file-relay.ts";
import type { Sink } from "./sink.ts";

export interface FileSinkOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** How many older files (`.1`, `.2`, …) are kept. */
  readonly keep: number;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  size: number;
}

const NEWLINE = 10;
const PRIVATE = 0o600;
/** Without O_NONBLOCK, opening a named pipe would wait for a reader. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

export class FileSink implements Sink {
  readonly #options: FileSinkOptions;
  #lock: FileLock | undefined;
  #file: OpenFile | undefined;
  #isStale = false;
  /** For the lines of other processes, while this one writes the file. */
  #receiver: LineReceiver | null = null;
  /** To the process that writes the file, while this one does not. */
  #sender: LineSender | undefined;
  /** Writes come one after another, whoever they are for. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  reopen(): void {
    this.#isStale = true;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<number> {
    try {
      return await this.#write(lines, signal);
    } catch (error) {
      // The process that had the lock may just have ended: then this one is the next, or one more is.
      if (this.#lock !== undefined || this.#sender === undefined || signal.aborted) throw error;
      this.#sender = undefined;
      return this.#write(lines, signal);
    }
  }

  async #write(lines: readonly string[], signal: AbortSignal): Promise<number> {
    if (this.#lock === undefined && !(await this.#takeLock(signal))) {
      await this.#sender!.send(lines, signal);
      return lines.length;
    }
    return this.#inTurn(() => this.#append(lines));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender?.close();
    await this.#inTurn(async () => {
      this.#receiver?.close();
      await this.#close();
      this.#lock?.release();
      this.#lock = undefined;
    });
  }

  /** False when another process has the lock and takes lines. Rejects when it has the lock and does not. */
  async #takeLock(signal: AbortSignal): Promise<boolean> {
    if (this.#sender?.isOpen === true) return false;
    const { path } = this.#options;
    ensureFolder(dirname(path));
    try {
      this.#lock = await acquireFileLock(path);
    } catch (error) {
      if (!(error instanceof FileLockedError)) throw error;
      this.#sender = await connectToWriter(path, signal).catch(() => {
        throw error;
      });
      return false;
    }
    this.#receiver = await receiveLines(path, async (lines) => {
      for (let rest = lines; rest.length > 0;) {
        const part = rest;
        rest = part.slice(await this.#inTurn(() => this.#append(part)));
      }
    });
    return true;
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Appends as many lines as fit into the file, and at least one. A line is written as a whole or not at all. */
  async #append(lines: readonly string[]): Promise<number> {
    // The end has come while they waited for their turn.
    if (this.#lock === undefined) throw new Error("the file is closed");
    let file = await this.#current();
    const first = Buffer.byteLength(lines[0] ?? "") + 1;
    if (file.size > 0 && file.size + first > this.#options.maxBytes) file = await this.#rotate(file);
    const { count, text } = this.#fitting(lines, file.size);
    await append(file, Buffer.from(text));
    return count;
  }

  #fitting(lines: readonly string[], size: number): { readonly count: number; readonly text: string } {
    let text = "";
    let bytes = size;
    let count = 0;
    for (const line of lines) {
      bytes += Buffer.byteLength(line) + 1;
      if (count > 0 && bytes > this.#options.maxBytes) break;
      text += `${line}\n`;
      count++;
    }
    return { count, text };
  }

  /** The file that has the path now: another program may have moved or removed the one that was open. */
  async #current(): Promise<OpenFile> {
    const file = this.#file;
    if (file !== undefined && !this.#isStale) {
      const found = await stat(this.#options.path).catch(noneIfMissing);
      if (found?.ino === file.ino && found.dev === file.dev) {
        // Another program may have emptied it.
        file.size = found.size;
        return file;
      }
    }
    return this.#open();
  }

  async #open(mode = PRIVATE): Promise<OpenFile> {
    await this.#close();
    const { path } = this.#options;
    ensureFolder(dirname(path));
    const handle = await open(path, FLAGS, mode);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new Error(`${path} is not a regular file`);
      // An existing file keeps its mode, so that programs that could read it still can.
      if (stats.size === 0 && mode !== PRIVATE) await handle.chmod(mode);
      const { dev, ino, size } = stats;
      const file = { handle, dev, ino, size, mode: stats.size === 0 ? mode : stats.mode & 0o777 };
      await endLine(file);
      this.#file = file;
      this.#isStale = false;
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #rotate({ mode }: OpenFile): Promise<OpenFile> {
    const { path, keep } = this.#options;
    await this.#close();
    if (keep === 0) await rm(path, { force: true });
    for (let number = keep - 1; number >= 0; number--) {
      const from = number === 0 ? path : `${path}.${number}`;
      await rename(from, `${path}.${number + 1}`).catch(noneIfMissing);
    }
    return this.#open(mode);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }
}

/** Writes all of it. What a full disk took of it is taken back: the lines will be written again. */
async function append(file: OpenFile, content: Buffer): Promise<void> {
  let rest = content;
  try {
    while (rest.length > 0) rest = rest.subarray((await file.handle.write(rest)).bytesWritten);
  } catch (error) {
    if (rest.length < content.length) await file.handle.truncate(file.size);
    throw error;
  }
  file.size += content.length;
}

/** A process that was killed may have left the last line unfinished: the next one must not continue it. */
async function endLine(file: OpenFile): Promise<void> {
  if (file.size === 0) return;
  const last = Buffer.alloc(1);
  await file.handle.read(last, 0, 1, file.size - 1);
  if (last[0] !== NEWLINE) await append(file, Buffer.from("\n"));
}

function noneIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
