/** Opens and closes the HTTP server of an adapter. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";

/** Does not use fastify's `listen`, which opens a second server for `localhost` that would have to be closed, too. */
export function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    app.server.once("error", reject);
    app.server.listen({ host, port }, () => {
      app.server.off("error", reject);
      resolve();
    });
  });
}

/** How long clients may take to read the rest of their answers at a stop. */
const STOP_GRACE_MS = 2000;

/** Closes connections: idle ones immediately, those whose client still reads its answer after a grace period. */
export async function hangUp(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20);
  const force = setTimeout(() => app.server.closeAllConnections(), STOP_GRACE_MS);
  await app.close();
  clearInterval(sweep);
  clearTimeout(force);
}

/** Where a server listens that listens on a port. */
export function addressOf(app: FastifyInstance): {
  readonly host: string;
  readonly port: number;
  readonly url: string;
} {
  const { address, port, family } = app.server.address() as AddressInfo;
  return { host: address, port, url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}` };
}
