/**
 * The program's own standard output. Everything the program prints goes through {@link writeStdout}, so that what
 * other code in this process prints can be diverted without touching it.
 */
import { fstatSync, writeSync } from "node:fs";
import { HermesError } from "./errors.ts";
import { isTerminal } from "./is-terminal.ts";
import { paint, plainText, showsColors, type StyledLine } from "./styled-text.ts";
import { screenPrinter } from "./terminal-screen.ts";
import { TerminalFilter } from "./terminal-text.ts";

type Write = typeof process.stdout.write;

/** Takes text that was not written by {@link writeStdout}; true when it must not reach standard output. */
export type DivertHandler = (text: string) => boolean;

const state = {
  /** The stream's own `write` while it is replaced. */
  original: undefined as Write | undefined,
  handlers: [] as readonly DivertHandler[],
  /** Set when the reader is gone (EPIPE), so nothing more is written. */
  closed: false,
  /** Why writing failed (a full disk), unless the reader is gone. */
  failure: undefined as NodeJS.ErrnoException | undefined,
  watched: false,
  /** Called once when nothing can be written any more. */
  onClosed: new Set<() => void>(),
};

const filter = new TerminalFilter();

/**
 * Writes text to standard output: unchanged into a pipe or a file, without control characters on a terminal.
 * A reader that is gone (`| head`) is not an error: the rest is dropped.
 */
export function writeStdout(text: string): void {
  if (state.closed) return;
  writeChecked(isTerminal(1) ? filter.take(text) : text);
}

/** Writes lines in their colours on a terminal that shows them, else as {@link writeStdout} does. */
export function writeStyledStdout(lines: readonly StyledLine[]): void {
  if (state.closed) return;
  const isColored = showsColors(1);
  const text = isTerminal(1) ? (line: StyledLine) => paint(line, isColored) : plainText;
  writeChecked(lines.map((line) => `${text(line)}\n`).join(""));
}

function writeChecked(shown: string): void {
  const print = isTerminal(1) ? screenPrinter() : undefined;
  if (print !== undefined) return print(shown, "stdout");
  if (!state.watched && isPlain()) return writeDirectly(shown);
  watchErrors();
  write(shown);
}

/** Calls `listener` when the reader of standard output is gone or writing fails. Returns the undo. */
export function onStdoutClosed(listener: () => void): () => void {
  state.onClosed.add(listener);
  return () => state.onClosed.delete(listener);
}

/** True for a file, a pipe or a socket. Node handles terminals. */
function isPlain(): boolean {
  const stats = fstatSync(1);
  return stats.isFile() || stats.isFIFO() || stats.isSocket();
}

/**
 * Writes without the stream, which takes longer to create than a short command to run; Node also writes files and pipes
 * synchronously. A full non-blocking pipe is left to the stream.
 */
function writeDirectly(text: string): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EAGAIN") return failed(error as NodeJS.ErrnoException);
    watchErrors();
    write(rest);
  }
}

/**
 * Resolves when the reader has received everything, or is gone.
 * Throws HERMES_OUTPUT when a part could not be written for another reason.
 */
export async function flushStdout(): Promise<void> {
  await drained();
  // A failing file reports its error on the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  if (state.failure !== undefined) throw new HermesError("HERMES_OUTPUT", { problem: state.failure.message });
}

/**
 * Bytes that the reader of standard output has not taken. From the first call on, a full pipe does not hold up the
 * process: what is written then waits in memory.
 */
export function unreadStdout(): number {
  watchErrors();
  return state.closed ? 0 : process.stdout.writableLength;
}

/** Gives the reader of standard output this many milliseconds for what it has not taken; then the rest is dropped. */
export async function flushStdoutWithin(ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))).then(() => {
    state.closed = true;
  });
  await Promise.race([drained(), late]);
  clearTimeout(timer);
}

async function drained(): Promise<void> {
  if (state.closed || !state.watched) return;
  const { stdout } = process;
  if (stdout.writableLength === 0 && !stdout.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stdout.off("close", done);
      resolve();
    };
    stdout.once("close", done);
    write("", done);
  });
}

/**
 * Passes to `handler` everything written with `process.stdout.write` or `console.log`, but not by {@link writeStdout}.
 * What no handler takes goes to standard output. Returns the undo.
 */
export function divertStdout(handler: DivertHandler): () => void {
  watchErrors();
  const { stdout } = process;
  state.handlers = [...state.handlers, handler];
  if (state.original === undefined) {
    // Kept unbound, so that the undo restores exactly this function.
    // oxlint-disable-next-line typescript/unbound-method -- it is called with the stream as its `this`
    state.original = stdout.write;
    stdout.write = divertedWrite;
  }
  return () => {
    state.handlers = state.handlers.filter((other) => other !== handler);
    if (state.handlers.length > 0 || state.original === undefined || stdout.write !== divertedWrite) return;
    stdout.write = state.original;
    state.original = undefined;
  };
}

type WriteCallback = (error?: Error | null) => void;

function divertedWrite(
  chunk: string | Uint8Array,
  encoding?: BufferEncoding | WriteCallback,
  callback?: WriteCallback,
): boolean {
  const written = typeof encoding === "function" ? encoding : callback;
  const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
  if (state.handlers.some((handler) => handler(text))) {
    if (written !== undefined) process.nextTick(written);
    return true;
  }
  return write(chunk, written, typeof encoding === "string" ? encoding : "utf8");
}

function write(chunk: string | Uint8Array, written?: WriteCallback, encoding: BufferEncoding = "utf8"): boolean {
  const { stdout } = process;
  return state.original === undefined
    ? stdout.write(chunk, encoding, written)
    : state.original.call(stdout, chunk, encoding, written);
}

function watchErrors(): void {
  if (state.watched) return;
  state.watched = true;
  process.stdout.on("error", failed);
}

function failed(error: NodeJS.ErrnoException): void {
  state.closed = true;
  for (const listener of state.onClosed) listener();
  if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") state.failure ??= error;
}
