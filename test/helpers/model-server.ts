/** A real HTTP server that speaks OpenAI's chat completions as a script tells it to. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, or whatever the model made of it. */
  readonly arguments: string;
}

/** What the server does with one request. */
export type Reply =
  | {
      /** Sent before the text, as DeepSeek does. */
      readonly reasoning?: string;
      readonly text?: string;
      readonly calls?: readonly ScriptedCall[];
      /** Why the answer ends; `tool_calls` or `stop` when absent. */
      readonly finish?: string;
    }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly message?: string }
  /** Sends this text and then destroys the socket. */
  | { readonly cutAfter: string }
  /** Sends this text and ends the body without a finish reason. */
  | { readonly endAfter: string }
  /** Takes the request and then does nothing, until the client goes away. */
  | { readonly silent: true }
  /** Takes the request and hangs up. */
  | { readonly hangUp: true }
  /** Sends this text and then nothing, until the client goes away. */
  | { readonly hangAfter: string }
  /** Sends these deltas, as other servers phrase them; `pause` is awaited after each. */
  | {
      readonly deltas: readonly object[];
      readonly finish?: string | null;
      readonly pauseMs?: number;
      readonly pause?: () => Promise<unknown>;
    }
  /** Sends this body as it is. */
  | { readonly body: string; readonly type: string }
  /** Writes an error into the stream. */
  | { readonly streamError: string };

export interface SentMessage {
  readonly role: string;
  readonly content: unknown;
  readonly tool_calls?: readonly { readonly id: string; readonly [field: string]: unknown }[];
  readonly tool_call_id?: string;
  readonly [field: string]: unknown;
}

export interface RequestBody {
  readonly model: string;
  readonly messages: readonly SentMessage[];
  readonly tools?: readonly { function: { name: string } }[];
}

export interface ModelServer extends AsyncDisposable {
  stop(): Promise<void>;
  readonly url: string;
  readonly requests: readonly RequestBody[];
  /** Resolves when the client of a hanging reply closed its socket. */
  readonly clientGone: Promise<void>;
  /** Resolves when the text of a hanging reply is on its way. */
  readonly hanging: Promise<void>;
}

/**
 * Starts the server on loopback. The replies are given in order; after the last one every request gets "done". A
 * request about which `refuse` has something to say is answered with status 400 and gets no reply.
 */
export async function startModelServer(
  replies: readonly Reply[],
  refuse: (body: RequestBody) => string | undefined = () => undefined,
): Promise<ModelServer> {
  let given = 0;
  const requests: RequestBody[] = [];
  const gone = Promise.withResolvers<void>();
  const hanging = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as RequestBody;
    requests.push(body);
    const refusal = refuse(body);
    const reply: Reply =
      refusal === undefined ? (replies[given++] ?? { text: "done" }) : { status: 400, message: refusal };
    if ("status" in reply) {
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
      response.end(JSON.stringify({ error: { message: reply.message ?? `status ${reply.status}` } }));
      return;
    }
    if ("silent" in reply) return void response.on("close", gone.resolve);
    if ("hangUp" in reply) return void request.socket.end();
    if ("body" in reply) {
      response.writeHead(200, { "content-type": reply.type }).end(reply.body);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    if ("streamError" in reply) {
      response.end(`data: ${JSON.stringify({ error: { message: reply.streamError } })}\n\ndata: [DONE]\n\n`);
    } else if ("cutAfter" in reply) {
      response.write(event({ content: reply.cutAfter }), () => setTimeout(() => response.destroy(), 20));
    } else if ("endAfter" in reply) {
      response.end(event({ content: reply.endAfter }));
    } else if ("deltas" in reply) {
      for (const delta of reply.deltas) {
        response.write(event(delta));
        if (reply.pauseMs !== undefined) await delay(reply.pauseMs);
        await reply.pause?.();
      }
      response.end(`${reply.finish === null ? "" : event({}, reply.finish ?? "stop")}data: [DONE]\n\n`);
    } else if ("hangAfter" in reply) {
      response.on("close", gone.resolve);
      response.write(event({ content: reply.hangAfter }), () => hanging.resolve());
    } else {
      send(response, reply);
    }
  }

  async function stop(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    clientGone: gone.promise,
    hanging: hanging.promise,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function send(response: ServerResponse, reply: Extract<Reply, { reasoning?: string }>): void {
  const { reasoning = "", text = "", calls = [] } = reply;
  for (const piece of reasoning.match(/[^]{1,8}/g) ?? []) response.write(event({ reasoning_content: piece }));
  for (const piece of text.match(/[^]{1,8}/g) ?? []) response.write(event({ content: piece }));
  for (const [index, { id, name, arguments: args }] of calls.entries()) {
    response.write(event({ tool_calls: [{ index, id, type: "function", function: { name, arguments: args } }] }));
  }
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  response.write(event({}, reply.finish ?? (calls.length > 0 ? "tool_calls" : "stop"), usage));
  response.end("data: [DONE]\n\n");
}

function event(delta: object, finishReason: string | null = null, usage?: object): string {
  const choices = [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: finishReason }];
  const chunk = { id: "chat", object: "chat.completion.chunk", created: 1, model: "served-model", choices, usage };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
