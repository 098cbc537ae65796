/** A model's server as a user sets it up: it wants a key, lists its models, and answers for those alone. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface ModelCatalog extends AsyncDisposable {
  /** Up to and including `/v1`. */
  readonly url: string;
  /** Each request: method, path, and the key that came with it. */
  readonly requests: readonly string[];
}

/** Starts the server on loopback. Its models are `small` and `large`. */
export async function startModelCatalog(key: string): Promise<ModelCatalog> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void answer(request).then(({ status, type, body }) =>
      response.writeHead(status, { "content-type": type }).end(body),
    );
  });

  async function answer(request: IncomingMessage) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const given = request.headers.authorization ?? "";
    requests.push(`${request.method} ${request.url} ${given}`);
    const json = (status: number, document: unknown) =>
      ({ status, type: "application/json", body: JSON.stringify(document) }) as const;
    if (given !== `Bearer ${key}`) return json(401, { error: { message: `no such key: ${given}` } });
    if (request.url === "/v1/models") {
      return json(200, { object: "list", data: [{ id: "small" }, { id: "large" }, { id: "a \u001B[31mbad one" }] });
    }
    const { model } = JSON.parse(Buffer.concat(chunks).toString()) as { model: string };
    if (model !== "small" && model !== "large") {
      return json(404, { error: { message: `the model ${model} does not exist` } });
    }
    const chunk = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", model, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    const body = `${chunk({ role: "assistant", content: "ready" }, null)}${chunk({}, "stop")}data: [DONE]\n\n`;
    return { status: 200, type: "text/event-stream", body } as const;
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
