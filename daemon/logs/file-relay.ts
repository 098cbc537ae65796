/**
 * How the processes that share a file write it: one holds its lock and listens on `<file>.sock`, the others send it
 * their lines. A batch is a line with its length in bytes and then its lines; the answer to each is one line, `ok` when
 * they have been written, else what went wrong.
 */
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { problemOf } from "#core/errors";

/** What the system takes for the path of a socket, on every system. */
const MOST_PATH_BYTES = 100;
/** More than the longest line that a queue takes. */
const MOST_BATCH_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/** The socket beside a file; null where its path would be too long. */
function socketOf(file: string): string | null {
  const path = `${file}.sock`;
  return Buffer.byteLength(path) <= MOST_PATH_BYTES ? path : null;
}

export interface LineReceiver {
  /** Answers what has been written and takes no more. */
  close(): void;
}

/**
 * Takes the lines of other processes; the caller holds the lock. `append` resolves when they have been written. Gives
 * null where there can be no socket: the others then wait for the lock.
 */
export async function receiveLines(
  file: string,
  append: (lines: readonly string[]) => Promise<void>,
): Promise<LineReceiver | null> {
  const path = socketOf(file);
  if (path === null) return null;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void answerBatches(socket, append);
  });
  try {
    // That of a process that was killed.
    rmSync(path, { force: true });
    await listen(server, path);
  } catch {
    // A file system without sockets.
    return null;
  }
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroySoon();
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
  server.on("error", () => undefined).unref();
  chmodSync(path, 0o600);
}

async function answerBatches(socket: Socket, append: (lines: readonly string[]) => Promise<void>): Promise<void> {
  try {
    for await (const lines of batchesOf(socket)) {
      const problem = await append(lines).then(() => null, problemOf);
      socket.write(problem === null ? "ok\n" : `${problem.replaceAll("\n", " ")}\n`);
    }
  } catch {
    // The other process has ended, or does not speak this protocol; it sends unanswered lines again.
    socket.destroy();
  }
}

async function* batchesOf(socket: Socket): AsyncGenerator<readonly string[]> {
  let pending = Buffer.alloc(0);
  for await (const piece of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, piece]);
    for (;;) {
      const end = pending.indexOf(NEWLINE);
      if (end === -1) break;
      const length = Number(pending.subarray(0, end).toString());
      if (!(length > 0 && length <= MOST_BATCH_BYTES)) throw new Error("not a batch of lines");
      if (pending.length < end + 1 + length) break;
      yield pending
        .subarray(end + 1, end + 1 + length)
        .toString()
        .split("\n");
      pending = pending.subarray(end + 1 + length);
    }
  }
}

/** A connection to the process that writes the file. */
export interface LineSender {
  readonly isOpen: boolean;
  /** Resolves when the other process has written the lines. */
  send(lines: readonly string[], signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Rejects where no process listens. */
export async function connectToWriter(file: string, signal: AbortSignal): Promise<LineSender> {
  const path = socketOf(file);
  if (path === null) throw new Error(`the path of ${file} is too long for a socket`);
  const socket = connect(path);
  try {
    await once(socket, "connect", { signal });
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
  // Reported by the answer that does not come.
  socket.on("error", () => undefined).setEncoding("utf8");
  const answers = socket[Symbol.asyncIterator]() as AsyncIterator<string>;
  return {
    get isOpen() {
      return !socket.destroyed && socket.readable;
    },
    async send(lines, given) {
      const abort = () => socket.destroy();
      given.addEventListener("abort", abort, { once: true });
      try {
        const content = lines.join("\n");
        socket.write(`${Buffer.byteLength(content)}\n${content}`);
        const answer = await nextLine(answers);
        if (answer !== "ok") throw new Error(answer ?? "the process that writes the file has ended");
      } catch (error) {
        socket.destroy();
        throw error;
      } finally {
        given.removeEventListener("abort", abort);
      }
    },
    close: () => socket.destroy(),
  };
}

async function nextLine(pieces: AsyncIterator<string>): Promise<string | null> {
  let text = "";
  while (!text.endsWith("\n")) {
    const piece = await pieces.next();
    if (piece.done === true) return null;
    text += piece.value;
  }
  return text.slice(0, -1);
}
