/** A bound on open connections, and their end. */
import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Keeps at most so many connections open: beyond that, the one that has been idle longest is closed for the new one.
 * The many idle ones may well come from the same address as the one that matters, so addresses are not told apart.
 * Gives a function that closes all idle ones: Node's own leaves those open on which nothing was asked yet.
 */
export function boundConnections(server: Server, most: number): () => void {
  /** The one that has been idle longest comes first. */
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
