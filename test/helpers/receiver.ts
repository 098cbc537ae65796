/** A real HTTP server that takes webhooks and answers each as a test tells it to. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface Received {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Exactly as it came. */
  readonly body: string;
}

export interface Receiver {
  /** `http://localhost:PORT` */
  readonly url: string;
  readonly received: readonly Received[];
  /** Decides what is answered from now on; 200 and nothing else at first. */
  answer: (request: Received, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** Starts a receiver on a free port; it ends with the test. */
export async function startReceiver(t: TestContext): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      const { url: path = "", method = "", headers } = request;
      const one = { path, method, headers, body };
      received.push(one);
      receiver.answer(one, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const receiver: Receiver = {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    received,
    answer: (_request, response) => void response.end(),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  t.after(() => receiver.close());
  return receiver;
}
