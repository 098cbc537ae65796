/** A way to a server that a test can cut: what a broken network, or a laptop that sleeps, does to connections. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import type { TestContext } from "node:test";

export interface Cuttable {
  /** Where the server is reached through it. */
  readonly url: string;
  /** Breaks all connections, and takes no new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Keeps all connections open, and passes nothing on until `mend`. */
  hang(): void;
  /** Passes on what clients send, but none of the answers on the connections there are. */
  silence(): void;
}

/** Starts one in front of the server at a port of this machine; closed after the test. */
export async function startCuttable(t: Pick<TestContext, "after">, port: number): Promise<Cuttable> {
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let state: "whole" | "cut" | "hung" = "whole";
  const server = createServer((socket) => {
    if (state === "cut") return void socket.destroy();
    const upstream = connect(port, "127.0.0.1");
    upstreams.add(upstream);
    upstream.once("close", () => upstreams.delete(upstream));
    for (const end of [socket, upstream]) {
      sockets.add(end);
      // A broken connection is what this is for.
      end.on("error", () => undefined);
      end.once("close", () => sockets.delete(end));
    }
    socket.once("close", () => upstream.destroy());
    upstream.once("close", () => socket.destroy());
    socket.on("data", (data) => upstream.write(data));
    upstream.on("data", (data) => socket.write(data));
    if (state === "hung") upstream.pause();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    end();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      state = "cut";
      end();
    },
    hang: () => {
      state = "hung";
      for (const socket of sockets) socket.pause();
    },
    silence: () => {
      for (const upstream of upstreams) upstream.pause();
    },
    mend: () => {
      if (state === "hung") for (const socket of sockets) socket.resume();
      state = "whole";
    },
  };
}
