/** The HTTP side of `api_server`: routes, limits and the format of errors. */
import { STATUS_CODES } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { WITHOUT_SCHEMAS } from "#core/schemaless-server";
import { createAccessCheck } from "./access.ts";
import { answerInEvents, answerOnce, type AnswerFormat } from "./answer.ts";
import { checkBody, fingerprint, type ApiRequest } from "./api-request.ts";
import { readChatRequest } from "./chat-request.ts";
import { completionFormat } from "./completion.ts";
import { createCrossOrigin } from "./cors.ts";
import type { GivenAnswers } from "./given-answers.ts";
import type { InFlight } from "./in-flight.ts";
import { badRequest, problemFrom, RequestProblem } from "./problem.ts";
import { responsesFormat } from "./response-format.ts";
import { readResponsesRequest } from "./responses-request.ts";
import { RunningAnswer, type TurnContext } from "./running-answer.ts";

const BODY_LIMIT = 8 * 1024 * 1024;
/** How long a client may keep sending a body that was already refused. */
const LINGER_MS = 2000;

export interface RouteOptions extends TurnContext {
  /** Empty when there is no key. */
  readonly key: string;
  /** The origins of web pages that may use the server. */
  readonly origins: readonly string[];
  readonly given: GivenAnswers;
  readonly isSession: (id: string) => boolean;
  readonly keepAliveMs: number;
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
  const { log } = options;
  const app = fastify({
    ...WITHOUT_SCHEMAS,
    logger: false,
    bodyLimit: BODY_LIMIT,
    onProtoPoisoning: "remove",
    onConstructorPoisoning: "remove",
    requestTimeout: options.requestTimeoutMs,
    http: {
      headersTimeout: options.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, options.headersTimeoutMs),
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
  const cors = createCrossOrigin(options.origins);
  const check = createAccessCheck({ key: options.key, allowsOrigin: (origin) => cors.allows(origin), log });
  app.addHook("onRequest", (request, reply, done) => {
    if (cors.apply(request.raw, reply.raw)) return void reply.code(204).send();
    check(request.raw, request.ip);
    checkEncoding(request);
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
  for (const path of ["/health", "/v1/health"]) app.get(path, (_request, reply) => health(options, reply));
  addModels(app, options.model);
  addAnswers(app, options);
  await app.ready();
  return app;
}

/** Reads what a route is asked for, and tells in which format it answers. */
type ReadRequest = (
  request: FastifyRequest,
  options: RouteOptions,
) => { readonly asked: ApiRequest; readonly format: AnswerFormat };

const ANSWERS: Readonly<Record<string, ReadRequest>> = {
  "/v1/chat/completions": ({ body, headers }) => {
    const asked = readChatRequest(body, headers);
    return { asked, format: completionFormat(asked.includeUsage) };
  },
  "/v1/responses": ({ body, headers }, { isSession }) => {
    const asked = readResponsesRequest(body, headers, isSession);
    return { asked, format: responsesFormat(asked) };
  },
};

function addAnswers(app: FastifyInstance, options: RouteOptions): void {
  const { inFlight, given } = options;
  const onRequest = (_request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    inFlight.enter(reply.raw);
    done();
  };
  for (const [path, read] of Object.entries(ANSWERS)) {
    app.post(path, { onRequest }, (request, reply) =>
      inFlight.run(reply.raw, async () => {
        const { asked, format } = read(request, options);
        const start = () => new RunningAnswer(options, asked);
        const source = asked.idempotencyKey === null ? start() : given.find(identityOf(path, request, asked), start);
        if (!asked.stream) {
          const { body, headers } = await answerOnce(source, format, reply.raw);
          return reply.headers(headers).send(body);
        }
        // From here on we write the response; fastify can still send an error before its first byte.
        await answerInEvents(source, format, reply.raw, options.keepAliveMs);
        return reply.hijack();
      }),
    );
  }
}

function identityOf(path: string, { body }: FastifyRequest, { name, idempotencyKey }: ApiRequest) {
  checkBody(body);
  return { conversation: name ?? "", key: idempotencyKey ?? "", request: fingerprint(path, body) };
}

/** No client cares when the model "was created", but the field must exist and stay the same. */
const startedAt = Math.floor(Date.now() / 1000);

function addModels(app: FastifyInstance, model: RouteOptions["model"]): void {
  const describe = () => {
    const { id, provider } = model();
    return { id, object: "model", created: startedAt, owned_by: provider };
  };
  app.get("/v1/models", async () => ({ object: "list", data: [describe()] }));
  // A model's id may contain slashes.
  app.get("/v1/models/*", (request, reply) => {
    const asked = (request.params as { readonly "*": string })["*"];
    const known = describe();
    if (asked === known.id) return reply.send(known);
    throw new RequestProblem(404, "model_not_found", `There is no model "${asked.slice(0, 200)}", only "${known.id}".`);
  });
}

/** Load balancers stop sending requests to a server that shuts down. */
async function health({ inbox, version }: RouteOptions, reply: FastifyReply): Promise<FastifyReply> {
  reply.header("x-hermes-version", version);
  return inbox.isOpen() ? reply.send({ status: "ok" }) : reply.code(503).send({ status: "draining" });
}

function checkEncoding({ headers }: FastifyRequest): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() === "identity") return;
  const message = `The body is compressed (content-encoding: ${encoding.slice(0, 50)}). Send it without compression.`;
  throw new RequestProblem(415, "unsupported_media_type", message);
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
