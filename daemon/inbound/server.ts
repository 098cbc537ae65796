/** The HTTP servers of inbound webhooks: one for each address, which several hooks may share. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply } from "fastify";
import { HermesError, problemOf } from "#core/errors";
import type { HookAddress } from "#core/ports/inbound";
import { WITHOUT_SCHEMAS } from "#core/schemaless-server";
import { ANSWERS, type Answer } from "./answers.ts";
import { readBody } from "./body.ts";
import type { InboundHook } from "./hooks.ts";
import type { InboundReceiver } from "./receiver.ts";
import { parseRequest, sizeProblem } from "./request.ts";

export interface ServerLimits {
  /** How long the headers, and the whole request, may take. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long a connection is kept open between two requests. */
  readonly idleMs: number;
  /** Of one address. */
  readonly connections: number;
}

const LIMITS: ServerLimits = { headersMs: 10_000, requestMs: 60_000, idleMs: 30_000, connections: 512 };
/** Beyond this Node refuses a request itself; see `sizeProblem` for the limit that senders meet. */
const MOST_PARSED_BYTES = 256 * 1024;
/** How long a refused connection may still be read, so that its sender can read the answer. */
const LINGER_MS = 1000;
/** What is left of connections after the scripts have ended. */
const CLOSING_MS = 2000;

export interface InboundServers {
  /** One for each hook, in their order. */
  readonly addresses: readonly HookAddress[];
  /** Passes requests on; before that they wait. */
  serve(receiver: InboundReceiver): void;
  /** Ends the receiver, then the servers. */
  stop(drainMs: number): Promise<void>;
}

/**
 * Takes the addresses of the hooks, all or none. Throws HERMES_INBOUND_PORT for one that is in use, and
 * HERMES_INBOUND_BIND for one that cannot be listened on for another reason.
 */
export async function listen(
  hooks: readonly InboundHook[],
  limits: Partial<ServerLimits> = {},
): Promise<InboundServers> {
  const { promise: receiver, resolve: serve } = Promise.withResolvers<InboundReceiver>();
  const apps: BoundApp[] = [];
  let served: InboundReceiver | undefined;
  let stopping = false;
  try {
    for (const [listener, [hook]] of Map.groupBy(hooks, (one) => one.listener)) {
      const app = await buildApp({ ...LIMITS, ...limits }, async (request, response) => {
        const answer = await answerRequest(listener, request, response, receiver);
        return stopping ? { ...answer, headers: { ...answer.headers, connection: "close" } } : answer;
      });
      apps.push(app);
      await app.app.listen({ host: hook!.host, port: hook!.port }).catch((error: unknown) => {
        throw bindError(error, hook!);
      });
    }
  } catch (error) {
    await Promise.all(apps.map(({ app }) => app.close()));
    throw error;
  }

  async function stop(drainMs: number): Promise<void> {
    stopping = true;
    const closed = apps.map(({ app }) => app.close());
    await served?.stop(drainMs);
    const cut = setTimeout(() => apps.forEach(({ app }) => app.server.closeAllConnections()), CLOSING_MS);
    for (const { closeIdle } of apps) closeIdle();
    await Promise.all(closed);
    clearTimeout(cut);
  }

  return {
    addresses: hooks.map(addressOf),
    serve(started) {
      served = started;
      serve(started);
    },
    stop,
  };
}

function addressOf({ name, host, port, path, verify }: InboundHook): HookAddress {
  const shown = host.includes(":") ? `[${host}]` : host;
  return { name, url: `http://${shown}:${port}${path === "*" ? "/" : path}`, verify };
}

interface BoundApp {
  readonly app: FastifyInstance;
  readonly closeIdle: () => void;
}

type Respond = (request: IncomingMessage, response: ServerResponse) => Promise<Answer>;

async function answerRequest(
  listener: string,
  request: IncomingMessage,
  response: ServerResponse,
  receiver: Promise<InboundReceiver>,
): Promise<Answer> {
  const { method = "GET", url = "/", rawHeaders } = request;
  const size = sizeProblem(url, rawHeaders);
  if (size !== undefined) return size === 431 ? ANSWERS.headersTooLarge : ANSWERS.targetTooLong;
  const parsed = parseRequest(method, url, rawHeaders);
  return (await receiver).answer(listener, parsed, (most) => readBody(request, response, most));
}

/** Every request is answered before fastify would parse anything of it. */
async function buildApp(limits: ServerLimits, respond: Respond): Promise<BoundApp> {
  const { fastify } = await import("fastify");
  const app = fastify({
    ...WITHOUT_SCHEMAS,
    http: {
      maxHeaderSize: MOST_PARSED_BYTES,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    },
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (_error, request, reply) => void send(respond, request.raw, reply),
  });
  // Node would drop the headers beyond its default without a word.
  app.server.maxHeadersCount = 0;
  const closeIdle = boundConnections(app.server, limits.connections);
  app.server.on("checkContinue", (request, response) => app.server.emit("request", request, response));
  app.addHook("onRequest", (request, reply) => send(respond, request.raw, reply));
  return { app, closeIdle };
}

async function send(respond: Respond, request: IncomingMessage, reply: FastifyReply): Promise<void> {
  const { status, headers, body } = await respond(request, reply.raw);
  reply.code(status).headers({ "x-content-type-options": "nosniff", ...headers });
  await reply.send(body.length === 0 ? undefined : body);
}

/**
 * A new connection beyond the limit closes the one that has been without a request longest, so that idle ones keep nobody
 * out. Returns a function that closes all idle ones: Node's own keeps those without a first request open.
 */
function boundConnections(server: Server, most: number): () => void {
  const idle = new Set<Socket>();
  let open = 0;
  server.on("connection", (socket: Socket) => {
    open++;
    idle.add(socket);
    socket.once("close", () => {
      open--;
      idle.delete(socket);
    });
    if (open > most) (idle.values().next().value ?? socket).destroy();
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once("close", () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
  return () => {
    for (const socket of idle) socket.destroy();
  };
}

const REFUSALS: Readonly<Record<string, readonly [status: string, body: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "the headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request took too long"],
};

/** For what is no request that could be answered. Closing at once would take the answer away from who still writes. */
function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.destroyed) return;
  const [status, body] = REFUSALS[error.code ?? ""] ?? ["400 Bad Request", "not a valid request"];
  const head = `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  socket.removeAllListeners("data");
  socket.on("error", () => socket.destroy());
  socket.end(head + body);
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function bindError(error: unknown, { name, host, port }: InboundHook): HermesError {
  if ((error as { code?: unknown }).code === "EADDRINUSE")
    return new HermesError("HERMES_INBOUND_PORT", { name, host, port });
  return new HermesError("HERMES_INBOUND_BIND", { name, host, port, problem: problemOf(error) }, { cause: error });
}
