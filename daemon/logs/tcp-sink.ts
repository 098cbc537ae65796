/** A syslog server behind TCP or TLS. A batch is sent when the operating system has taken it. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Sink } from "./sink.ts";
import { countedFrame, syslogMessage, type Facility } from "./syslog-message.ts";

export interface TcpSinkOptions {
  readonly host: string;
  readonly port: number;
  readonly facility: Facility;
  /** Absent for a connection without encryption. */
  readonly tls?: { readonly ca: string | undefined };
}

const KEEP_ALIVE_MS = 60_000;

export class TcpSink implements Sink {
  readonly #options: TcpSinkOptions;
  #socket: Socket | undefined;

  constructor(options: TcpSinkOptions) {
    this.#options = options;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<number> {
    const socket = (this.#socket ??= await this.#connect(signal));
    const frames = lines.map((line) => countedFrame(syslogMessage(line, this.#options.facility)));
    try {
      await write(socket, frames.join(""), signal);
      return lines.length;
    } catch (error) {
      this.#drop(socket);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    // What was written still goes out.
    socket?.destroySoon();
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { host, port, tls } = this.#options;
    const socket = tls === undefined ? await openTcp(host, port) : await openTls(host, port, tls.ca);
    try {
      await once(socket, tls === undefined ? "connect" : "secureConnect", { signal });
    } catch (error) {
      socket.on("error", () => undefined).destroy();
      throw error;
    }
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // A write reports the error, or the next one opens another connection.
    socket.on("error", () => this.#drop(socket));
    for (const event of ["end", "close"] as const) socket.on(event, () => this.#drop(socket));
    // Servers have nothing to say, and what is not read would hide that they closed the connection.
    socket.resume();
    return socket;
  }

  #drop(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined;
    socket.destroy();
  }
}

async function openTcp(host: string, port: number): Promise<Socket> {
  const { connect } = await import("node:net");
  return connect({ host, port });
}

async function openTls(host: string, port: number, ca: string | undefined): Promise<Socket> {
  const { connect } = await import("node:tls");
  return connect({ host, port, ...(ca === undefined ? {} : { ca: await readFile(ca) }) });
}

function write(socket: Socket, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    const closed = () => reject(new Error("the connection was closed"));
    const end = (error: Error | null | undefined) => {
      signal.removeEventListener("abort", abort);
      socket.off("close", closed);
      if (error) reject(error);
      else resolve();
    };
    signal.addEventListener("abort", abort);
    socket.once("close", closed);
    socket.write(text, end);
  });
}
