/** Reads the bytes of a body with a limit. Nothing is parsed or decoded: signatures are made over these bytes. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** How much of a too large body is read and discarded, so that its sender can read the answer. */
const MOST_DISCARDED = 16 * 1024 * 1024;

/** Never rejects. A client that waits for `100 Continue` is asked for its body only here. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  most: number,
): Promise<Buffer | "too_large" | "incomplete"> {
  const announced = Number(request.headers["content-length"] ?? 0);
  const waits = /^100-continue$/i.test(request.headers.expect ?? "");
  if (announced > most && (waits || announced > MOST_DISCARDED)) return "too_large";
  if (waits) response.writeContinue();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes <= most) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes > most + MOST_DISCARDED) break;
    }
  } catch {
    // The sender is gone, or was too slow.
    return "incomplete";
  }
  return bytes > most ? "too_large" : Buffer.concat(chunks);
}
