/** Limits the number of open connections, and closes idle ones. */
import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Keeps at most this many connections open: a new one closes the one that has been idle longest. Addresses do not
 * matter, because useful and idle connections may come from the same one. Returns a function that closes all idle
 * connections: Node's own keeps those without a first request open.
 */
export function boundConnections(server: Server, most: number): () => void {
  /** The one that has been idle longest is first. */
  const idle = new Set<Socket>();
  let open = 0;
  server.on("connection", (socket: Socket) => {
    open++;
    idle.add(socket);
    socket.once("close", () => {
      open--;
      idle.delete(socket);
    });
    if (open > most) idle.values().next().value?.destroy();
  });
  server.on("request", ({ socket }, response) => {
    idle.delete(socket);
    response.once("close", () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
  return () => {
    for (const socket of idle) socket.destroy();
  };
}
