/** An HTTP server of a test on loopback, which can go down and come back at the same address. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export abstract class LoopbackServer implements AsyncDisposable {
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** False before the start and after a stop, also while earlier requests still end. */
  get isUp(): boolean {
    return this.#server !== undefined;
  }

  /** Listens: on a free port, and after a {@link stop} on the same one again. */
  async start(): Promise<this> {
    const server = createServer((request, response) => void this.answer(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.attach(server);
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Goes down: refuses connections and cuts those that are open. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) this.cut(socket);
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  protected abstract answer(request: IncomingMessage, response: ServerResponse): Promise<void>;

  /** Adds what the server has besides HTTP. */
  protected attach(_server: Server): void {}

  /** Ends a connection at a stop. */
  protected cut(socket: Socket): void {
    socket.destroy();
  }
}
