/** Reads request bodies: only JSON, as text, with a size limit. */
import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Refused } from "./access.ts";

/** An unparsed body. The route validates it. */
export interface Body {
  readonly text: string;
  readonly bytes: number;
}

/** How much of a too long body is read and discarded, so that its sender can read the answer. */
const MOST_DISCARDED = 32 * 1024 * 1024;

/**
 * Accepts `application/json` only. Fastify would also accept `text/plain`, which a form on any web page can send
 * without a preflight request.
 */
export function takeJsonOnly(app: FastifyInstance): void {
  askForBodiesLate(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", (request: FastifyRequest, payload: Readable) => {
    const { "content-encoding": encoding = "identity", "content-length": announced = 0 } = request.headers;
    if (encoding !== "identity") throw new Refused(415, "compressed bodies are not supported");
    return readBody(payload, request.routeOptions.bodyLimit, Number(announced));
  });
}

/** A client that waits for `100 Continue` only gets it once it may send its body. */
function askForBodiesLate(app: FastifyInstance): void {
  app.server.on("checkContinue", (request, response) => app.server.emit("request", request, response));
  app.addHook("preParsing", async (request, reply) => {
    if (/^100-continue$/i.test(request.headers.expect ?? "")) reply.raw.writeContinue();
  });
}

async function readBody(payload: Readable, limit: number, announced: number): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    if (announced <= MOST_DISCARDED) {
      for await (const chunk of payload as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes <= limit) chunks.push(chunk);
        else chunks.length = 0;
        if (bytes > MOST_DISCARDED) break;
      }
    }
  } catch (error) {
    throw new Refused(400, "the body is incomplete", { cause: error });
  }
  if (Math.max(bytes, announced) > limit) throw new Refused(413, `the body is longer than ${limit} bytes`);
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw new Refused(400, "the body is not UTF-8");
  return { text: body.toString("utf8"), bytes };
}
