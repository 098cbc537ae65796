/** The socket of a session that stays: many clients, each answered in order, none of which holds up another. */
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { isHermesError, problemOf } from "#core/errors";
import { LineSplitter } from "./lines.ts";
import { ensureSocketFolder } from "./place.ts";
import { LONGEST_LINE, parseRequest, type DaemonAnswer, type DaemonRequest } from "./wire.ts";

export interface Client {
  /** Sends an answer; nothing once the client is gone. */
  readonly answer: (answer: DaemonAnswer) => void;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
}

/** Answers a request. The client's next one is read when this has resolved. */
export type Handle = (request: DaemonRequest, client: Client) => Promise<void>;

const MOST_CLIENTS = 1000;
/** Requests of a client that may wait; then no more of it is read. */
const MOST_PENDING = 32;
/** What a client may leave unread, in bytes, before it is dropped. */
const MOST_UNREAD = 16 * 1024 * 1024;

export class SessionServer {
  readonly #server: Server;
  readonly #socket: string;
  readonly #handle: Handle;
  readonly #clients = new Set<Socket>();

  private constructor(socket: string, handle: Handle) {
    this.#socket = socket;
    this.#handle = handle;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    this.#server.maxConnections = MOST_CLIENTS;
  }

  /** Listens on a socket that only this user can use. Throws what the system throws. */
  static async listen(socket: string, handle: Handle): Promise<SessionServer> {
    const server = new SessionServer(socket, handle);
    ensureSocketFolder(dirname(socket));
    // The caller has the name: a socket here is that of a process that was killed.
    rmSync(socket, { force: true });
    server.#server.listen(socket);
    await once(server.#server, "listening");
    chmodSync(socket, 0o600);
    return server;
  }

  /** Accepts nobody any more and closes what is open, once it has got what was said to it. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => void this.#server.close(resolve));
    for (const client of this.#clients) client.destroySoon();
    await closed;
    rmSync(this.#socket, { force: true });
  }

  #accept(socket: Socket): void {
    const gone = new AbortController();
    this.#clients.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#clients.delete(socket);
      gone.abort();
    });
    const client: Client = { answer: (answer) => write(socket, answer), gone: gone.signal };
    let pending = 0;
    let last = Promise.resolve();
    const take = (line: string) => {
      pending++;
      if (pending > MOST_PENDING) socket.pause();
      last = last.then(async () => {
        await this.#serve(line, client);
        pending--;
        if (pending === 0) socket.resume();
      });
    };
    const splitter = new LineSplitter({
      mostBytes: LONGEST_LINE,
      onLine: take,
      onTooLong() {
        client.answer({ type: "refused", code: "HERMES_USAGE", problem: "the line is too long" });
        socket.destroySoon();
      },
    });
    socket.on("data", (chunk: Buffer) => splitter.push(chunk));
    // Who says nothing more still gets the answers to what it said.
    socket.once("end", () => void last.then(() => socket.destroySoon()));
  }

  /** Never rejects: a failure is an answer. */
  async #serve(line: string, client: Client): Promise<void> {
    const request = parseRequest(line);
    if (typeof request === "string") {
      client.answer({ type: "refused", code: "HERMES_USAGE", problem: request });
      return;
    }
    try {
      await this.#handle(request, client);
    } catch (error) {
      const code = isHermesError(error) ? error.code : "HERMES_INTERNAL";
      client.answer({ type: "refused", code, problem: problemOf(error) });
    }
  }
}

function write(socket: Socket, answer: DaemonAnswer): void {
  if (!socket.writable) return;
  socket.write(`${JSON.stringify(answer)}\n`);
  // Who does not read would fill the memory.
  if (socket.writableLength > MOST_UNREAD) socket.destroy();
}
