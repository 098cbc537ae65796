/** Reads request bodies: JSON only, as text, bounded. */
import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Refused } from "./access.ts";

/** A body as it came. What it says is judged by the route. */
export interface Body {
  readonly text: string;
  readonly bytes: number;
}

/** What is read and thrown away of a body that is too long, so that its sender gets to read the answer. */
const MOST_DISCARDED = 32 * 1024 * 1024;

/**
 * Takes `application/json` alone. Fastify would take `text/plain` too, which a form of any web page may send without
 * asking first.
 */
export function takeJsonOnly(app: FastifyInstance): void {
  askForBodiesLate(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", (request: FastifyRequest, payload: Readable) => {
    const { "content-encoding": encoding = "identity", "content-length": announced = 0 } = request.headers;
    if (encoding !== "identity") throw new Refused(415, "a body may not be compressed");
    return readBody(payload, request.routeOptions.bodyLimit, Number(announced));
  });
}

/** Who waits to be asked for its body (`Expect: 100-continue`) is asked only once it may send one. */
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
    throw new Refused(400, "the body broke off", { cause: error });
  }
  if (Math.max(bytes, announced) > limit) throw new Refused(413, `the body is longer than ${limit} bytes`);
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw new Refused(400, "the body is not UTF-8");
  return { text: body.toString("utf8"), bytes };
}
