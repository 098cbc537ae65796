/**
 * The webhook that Meta calls: https://developers.facebook.com/docs/graph-api/webhooks/getting-started. Nothing of a
 * request is parsed before its signature was checked.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { digestOf, GuessLimiter, isSame } from "#core/bearer";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { isHubSignature } from "#core/hub-signature";
import { createRareLog } from "#core/rare-log";
import { WITHOUT_SCHEMAS } from "#core/schemaless-server";

export interface WebhookOptions {
  readonly platform: string;
  readonly path: string;
  /** What Meta sends to show that the webhook is the one that was set up. */
  readonly verifyToken: string;
  /** The key of the signatures. */
  readonly appSecret: string;
  /** False while messages are refused: Meta then sends them again later. */
  readonly isOpen: () => boolean;
  /** Takes the body of a request. Throws when it cannot be taken now. */
  readonly take: (body: unknown) => void;
  readonly log: Log;
}

/** Meta's webhooks have at most 3 MB. */
const BODY_LIMIT = 3 * 1024 * 1024;
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
const CHECK_MS = 5000;

/** A fastify instance with the webhook, not listening yet. */
export async function createWebhook(options: WebhookOptions): Promise<FastifyInstance> {
  const { fastify } = await import("fastify");
  const app = fastify({
    ...WITHOUT_SCHEMAS,
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_MS },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  const { path, platform, log } = options;
  const refused = createRareLog({ write: (sentence) => log.warn(`${platform}: ${sentence}`) });
  app.get(path, verification(options, refused));
  app.post(path, {
    onRequest: async (request, reply) => {
      if (signatureOf(request) !== null) return undefined;
      refused("a webhook without a signature was refused");
      return reply.code(401).send({ error: "one header X-Hub-Signature-256 is required" });
    },
    handler: delivery(options, refused),
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "not found" }));
  await app.ready();
  return app;
}

/** Meta's question whether the webhook is ours, when it is set up. */
function verification({ verifyToken }: WebhookOptions, refused: (sentence: string) => void) {
  const expected = digestOf(verifyToken);
  const limiter = new GuessLimiter();
  return async ({ query, ip }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const asked = query as Readonly<Record<string, unknown>>;
    const [mode, token, challenge] = [asked["hub.mode"], asked["hub.verify_token"], asked["hub.challenge"]];
    const isRight = typeof token === "string" && isSame(digestOf(token), expected);
    if (isRight && mode === "subscribe" && typeof challenge === "string") {
      // A browser must not take it for a page.
      return reply.header("x-content-type-options", "nosniff").type("text/plain").send(challenge);
    }
    refused("a request had the wrong verify token");
    const isGuessing = !isRight && limiter.isTooMany(ip);
    return reply.code(isGuessing ? 429 : 403).send({ error: "the verify token is wrong" });
  };
}

function delivery(options: WebhookOptions, refused: (sentence: string) => void) {
  const { platform, appSecret, isOpen, take, log } = options;
  const failed = createRareLog({ write: (sentence) => log.error(`${platform}: ${sentence}`) });
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (!isHubSignature(signatureOf(request) ?? "", body, appSecret)) {
      refused("a webhook with a wrong signature was refused");
      return reply.code(401).send({ error: "the signature is wrong" });
    }
    if (!isOpen()) return reply.code(503).send({ error: "shutting down" });
    const parsed = parse(body);
    if (parsed === undefined) return reply.code(400).send({ error: "the body is not JSON" });
    try {
      take(parsed);
    } catch (error) {
      failed(`a webhook could not be taken, Meta will send it again: ${problemOf(error)}`);
      return reply.code(503).send({ error: "try again later" });
    }
    return reply.send({});
  };
}

/** The only signature of a request; null without one and for several. */
function signatureOf({ raw }: FastifyRequest): string | null {
  const [signature, ...others] = raw.headersDistinct["x-hub-signature-256"] ?? [];
  return signature === undefined || others.length > 0 ? null : signature;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // It is answered with 400.
    return undefined;
  }
}
