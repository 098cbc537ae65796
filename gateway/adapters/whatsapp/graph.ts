/** Calls to the Graph API through undici. They only throw a CallFailure without secrets. */
import { Agent, request, type Dispatcher } from "undici";
import { problemOf } from "#core/errors";
import { isMapping } from "#core/mapping";
import { parseRetryAfter } from "#core/retry-after";
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import { createRedactor } from "#gateway/adapters/shared/redaction";
import { graphFailure } from "./failure.ts";

export interface Graph {
  get(path: string, signal?: AbortSignal): Promise<Answer>;
  post(path: string, body: object, signal?: AbortSignal): Promise<Answer>;
  /** The bytes at an address that the Graph API gave. Fails when they are more than `most`. */
  download(url: string, most: number): Promise<Buffer>;
  close(): Promise<void>;
}

export type Answer = Readonly<Record<string, unknown>>;

export interface GraphOptions {
  readonly token: string;
  /** With the version: `https://graph.facebook.com/v25.0`. */
  readonly root: string;
}

/** How long a call may take. */
const CALL_MS = 15_000;
/** One connection takes one call at a time. */
const CONNECTIONS = 16;
/** The most that is read of an answer. */
const LARGEST_ANSWER = 256 * 1024;
/** Where Meta keeps media; only the holder of the token may load them. */
const MEDIA_HOST = "lookaside.fbsbx.com";
const USER_AGENT = "hermes-hooks";

/** `close` ends the calls that are being made. */
export function createGraph({ token, root }: GraphOptions): Graph {
  const redact = createRedactor([token]);
  const agent = new Agent({ connections: CONNECTIONS });
  const headers = { authorization: `Bearer ${token}`, "user-agent": USER_AGENT };

  async function bounded<Value>(work: (own: AbortSignal) => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    const late = AbortSignal.timeout(CALL_MS);
    try {
      return await work(signal === undefined ? late : AbortSignal.any([signal, late]));
    } catch (thrown) {
      if (thrown instanceof CallFailure) throw thrown;
      throw new CallFailure(redact(late.aborted ? "no answer in time" : reasonOf(thrown)));
    }
  }

  async function call(path: string, options: { method: "GET" | "POST"; body?: string }, signal?: AbortSignal) {
    const type = options.body === undefined ? {} : { "content-type": "application/json" };
    return bounded(async (own) => {
      const url = `${root}${path}`;
      const response = await request(url, {
        ...options,
        dispatcher: agent,
        headers: { ...headers, ...type },
        signal: own,
      });
      const body = parse((await read(response.body, LARGEST_ANSWER)).toString());
      const { statusCode: status } = response;
      if (status >= 200 && status < 300) {
        if (isMapping(body)) return body;
        throw new CallFailure("the server does not speak the Graph API");
      }
      throw graphFailure({ status, body, retryAfterMs: pauseOf(response) }, redact);
    }, signal);
  }

  return {
    get: (path, signal) => call(path, { method: "GET" }, signal),
    post: (path, body, signal) => call(path, { method: "POST", body: JSON.stringify(body) }, signal),
    download(url, most) {
      if (!mayHaveToken(url, root))
        return Promise.reject(new CallFailure("the file is at another address than Meta's"));
      return bounded(async (own) => {
        const response = await request(url, { dispatcher: agent, headers, signal: own });
        const { statusCode: status } = response;
        if (status === 200) return read(response.body, most);
        await response.body.dump();
        throw graphFailure({ status, body: null, retryAfterMs: 0 }, redact);
      });
    },
    close: () => agent.destroy(),
  };
}

/** True for the server of the API and for Meta's server of media: nobody else gets the token. */
export function mayHaveToken(url: string, root: string): boolean {
  const address = URL.parse(url);
  const own = new URL(root);
  if (address === null || address.username !== "") return false;
  return address.origin === own.origin || address.origin === `https://${MEDIA_HOST}`;
}

async function read(body: Dispatcher.ResponseData["body"], most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > most) throw new CallFailure(`the answer is larger than ${most} bytes`, { kind: "refused" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A page of something before the API; its status says what there is to say.
    return null;
  }
}

function pauseOf({ headers }: Dispatcher.ResponseData): number {
  return parseRetryAfter(headers["retry-after"], Date.now());
}

/** undici wraps what the system says. */
function reasonOf(thrown: unknown): string {
  const { cause } = (thrown ?? {}) as { cause?: unknown };
  return problemOf(cause ?? thrown);
}
