/** The transports to a server elsewhere: streamable HTTP, or, for older servers, HTTP with server-sent events. */
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { FetchLike, Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

export interface HttpOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes of one message, as on standard output. */
const MOST_MESSAGE_BYTES = 32 * 1024 * 1024;
const CLOSE_MS = 500;

/** Statuses with which a server of the older protocol answers the first request. */
const OLDER: ReadonlySet<number> = new Set([400, 404, 405]);

/** The SDK declares optional fields in a way that our compiler settings refuse. */
export function createStreamable({ url, headers }: HttpOptions): Transport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: boundedFetch,
  });
}

export function createSse({ url, headers }: HttpOptions): Transport {
  // oxlint-disable-next-line typescript/no-deprecated -- servers of the older protocol are still in use
  return new SSEClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: boundedFetch,
  });
}

/** True when the answer to the first request is that of a server that may speak the older protocol. */
export function mayBeOlder(error: unknown): boolean {
  return OLDER.has(statusOf(error) ?? 0);
}

/** The status of a failed request; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "number" && code >= 100 && code < 600 ? code : undefined;
}

/** Tells the server that its session is over, and closes the connection. Never rejects; takes at most half a second. */
export async function closeHttp(transport: Transport): Promise<void> {
  if (transport instanceof StreamableHTTPClientTransport) {
    const late = new Promise<void>((resolve) => void setTimeout(resolve, CLOSE_MS).unref());
    // Whether it heard of the end makes no difference here.
    await Promise.race([transport.terminateSession().catch(() => undefined), late]);
  }
  await transport.close();
}

/** `fetch` whose responses fail once a message in them is too large. */
const boundedFetch: FetchLike = async (url, init) => {
  const response = await fetch(url, init);
  if (response.body === null) return response;
  const body = response.body.pipeThrough(createBound());
  const { status, statusText, headers } = response;
  const bounded = new Response(body, { status, statusText, headers });
  // A redirect is judged by the address that answered.
  Object.defineProperty(bounded, "url", { value: response.url });
  return bounded;
};

/** Counts the bytes since the last blank line, which ends a message of a stream of events. */
function createBound(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const end = Math.max(text.lastIndexOf("\n\n"), text.lastIndexOf("\r\n\r\n"));
      size = end === -1 ? size + text.length : text.length - end;
      if (size > MOST_MESSAGE_BYTES) {
        controller.error(new Error(`the server sent a message of more than ${MOST_MESSAGE_BYTES / 1024 / 1024} MiB`));
      } else controller.enqueue(chunk);
    },
  });
}
