/** A syslog server behind UDP. Nothing says that a datagram has arrived; only a closed port may be reported. */
import type { Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { Sink } from "./sink.ts";
import { cutToBytes, syslogMessage, type Facility } from "./syslog-message.ts";

export interface UdpSinkOptions {
  readonly host: string;
  readonly port: number;
  readonly facility: Facility;
}

/** What servers take by default. */
const MOST_BYTES = 8192;
/** How long the machine has for saying that its port is closed. */
const REFUSAL_MS = 50;

export class UdpSink implements Sink {
  readonly #options: UdpSinkOptions;
  #socket: Socket | undefined;
  #problem: Error | undefined;
  /** Counts the sockets: the next one is for the next address of the host. */
  #opened = 0;

  constructor(options: UdpSinkOptions) {
    this.#options = options;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<number> {
    try {
      const socket = (this.#socket ??= await this.#open(signal));
      for (const line of lines)
        await sendOne(socket, cutToBytes(syslogMessage(line, this.#options.facility), MOST_BYTES));
      await pause(REFUSAL_MS, undefined, { signal });
      if (this.#problem !== undefined) throw this.#problem;
      return lines.length;
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  async #open(signal: AbortSignal): Promise<Socket> {
    const { createSocket } = await import("node:dgram");
    const { host, port } = this.#options;
    const addresses = await lookup(host, { all: true, order: "ipv4first" });
    const { address, family } = addresses[this.#opened++ % addresses.length]!;
    const socket = createSocket(family === 6 ? "udp6" : "udp4");
    this.#problem = undefined;
    socket.on("error", (error) => (this.#problem = error));
    try {
      const connected = once(socket, "connect", { signal });
      socket.connect(port, address);
      await connected;
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  #close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

function sendOne(socket: Socket, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => (error === null ? resolve() : reject(error)));
  });
}
