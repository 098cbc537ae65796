/** The HTTP side of `api_server`: routes, limits and the format of errors. */
import { STATUS_CODES } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { createAccessCheck } from "./access.ts";
import { answerInEvents, answerOnce, type AnswerContext } from "./answer.ts";
import type { InFlight } from "./in-flight.ts";
import { badRequest, problemFrom, RequestProblem } from "./problem.ts";
import { readChatRequest } from "./request.ts";

const BODY_LIMIT = 8 * 1024 * 1024;
/** How long a client may keep sending a body that was already refused. */
const LINGER_MS = 2000;

export interface RouteOptions extends AnswerContext {
  /** Empty when there is no key. */
  readonly key: string;
  readonly model: () => { readonly id: string; readonly provider: string };
  readonly version: string;
  readonly inFlight: InFlight;
  readonly log: Log;
  /** How long a client may take to send its headers, and the whole request. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** A fastify instance with the routes, not listening yet. */
export async function createApp(options: RouteOptions): Promise<FastifyInstance> {
  const { fastify } = await import("fastify");
  const { inFlight, log } = options;
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    onProtoPoisoning: "remove",
    onConstructorPoisoning: "remove",
    requestTimeout: options.requestTimeoutMs,
    http: {
      headersTimeout: options.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, options.headersTimeoutMs),
    },
    frameworkErrors: (_error, _request, reply) => {
      void refuse(reply, badRequest("The path cannot be read."));
    },
    clientErrorHandler(error, socket) {
      if (socket.writable) socket.end(rawResponse(wireProblem(error.code)));
      else socket.destroy();
    },
  });
  app.removeContentTypeParser("text/plain");
  const check = createAccessCheck(options);
  app.addHook("onRequest", (request, _reply, done) => {
    check(request.raw, request.ip);
    done();
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    if (!request.raw.complete) readToTheEnd(request, reply);
    const problem = problemFrom(thrown);
    if (problem !== null) return refuse(reply, problem);
    log.error(`api_server: a request failed: ${problemOf(thrown)}`);
    return refuse(reply, new RequestProblem(500, "internal_error", "Something went wrong inside hermes."));
  });
  app.setNotFoundHandler(async (request, reply) =>
    refuse(reply, new RequestProblem(404, "not_found", `There is no route ${request.method} ${request.url}.`)),
  );
  app.get("/health", async (_request, reply) =>
    reply.header("x-hermes-version", options.version).send({ status: "ok" }),
  );
  app.get("/v1/models", async () => {
    const { id, provider } = options.model();
    return { object: "list", data: [{ id, object: "model", created: startedAt, owned_by: provider }] };
  });
  app.post(
    "/v1/chat/completions",
    {
      onRequest: (_request, reply, done) => {
        inFlight.enter(reply.raw);
        done();
      },
    },
    (request, reply) => inFlight.run(reply.raw, () => complete(options, request, reply)),
  );
  await app.ready();
  return app;
}

/** No client cares when the model "was created", but the field must exist and stay the same. */
const startedAt = Math.floor(Date.now() / 1000);

async function complete(context: RouteOptions, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const asked = readChatRequest(request.body, request.headers);
  if (!asked.stream) {
    const { body, headers } = await answerOnce(context, asked, reply.raw);
    return reply.headers(headers).send(body);
  }
  // From here on we write the response; fastify can still send an error before its first byte.
  await answerInEvents(context, asked, reply.raw);
  return reply.hijack();
}

/**
 * Closing a connection while the client still sends would lose the answer, so its data is read and discarded for a
 * while.
 */
function readToTheEnd({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader("connection");
  const late = setTimeout(() => raw.destroy(), LINGER_MS);
  raw.once("close", () => clearTimeout(late));
  raw.resume();
}

/** Errors that Node reports before there is a request. */
function wireProblem(code: string | undefined): RequestProblem {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new RequestProblem(408, "request_timeout", "The request took too long to arrive.");
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return new RequestProblem(431, "headers_too_large", "The headers are larger than 16 KiB.");
  }
  return badRequest("This is not an HTTP request.");
}

function rawResponse(problem: RequestProblem): string {
  const body = JSON.stringify(problem.body());
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    "connection: close",
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

async function refuse(reply: FastifyReply, problem: RequestProblem): Promise<FastifyReply> {
  return reply.code(problem.status).headers(problem.headers).send(problem.body());
}
