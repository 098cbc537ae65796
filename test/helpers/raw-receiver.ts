/** A real HTTP server that takes lines of the log and keeps the bytes of each request. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { gunzipSync } from "node:zlib";

export interface RawRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RawReceiver {
  readonly url: string;
  readonly received: readonly RawRequest[];
  /** The text of all requests so far. */
  lines(): readonly string[];
  answer: (request: RawRequest, response: ServerResponse) => void;
}

/** Starts a receiver on a free port; it ends with the test. */
export async function startRawReceiver(t: TestContext): Promise<RawReceiver> {
  const received: RawRequest[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { url: path = "", method = "", headers } = request;
      const one = { path, method, headers, body: Buffer.concat(pieces) };
      received.push(one);
      receiver.answer(one, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const receiver: RawReceiver = {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    received,
    lines: () => received.flatMap(({ body }) => gunzipSync(body).toString().trimEnd().split("\n")),
    answer: (_request, response) => void response.end(),
  };
  return receiver;
}
