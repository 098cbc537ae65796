/**
 * Requests to a model's server, with a limit on every wait, and with the odd answers of real servers put in order before
 * the provider's package reads them.
 */
import { ModelFailure } from "./failure.ts";
import { orderEvents } from "./chat-events.ts";
import { readDocument, type Dialect } from "./plain-answers.ts";
import { afterRefusal } from "./replayed-reasoning.ts";

export interface ModelFetchOptions {
  readonly dialect: Dialect;
  /** How long a server may send nothing: before the first byte, and between two pieces. */
  readonly timeoutMs: number;
}

type Fetch = typeof globalThis.fetch;

/** Node's own limits end requests after this time. */
const NODE_LIMIT_MS = 300_000;

/** Creates the `fetch` for a provider's package. It rejects with a {@link ModelFailure} or what `fetch` rejects with. */
export function createModelFetch({ dialect, timeoutMs }: ModelFetchOptions): Fetch {
  return async (input, init = {}) => {
    const patience = new Patience(timeoutMs, init.signal);
    const send = await sender(timeoutMs);
    const request = { ...init, signal: patience.signal };
    let response = await patience.wait(() => send(input, request));
    if (response.status === 400) {
      const text = await patience.wait(() => response.text());
      const again = afterRefusal(init.body, text);
      if (again === undefined) return new Response(text, response);
      response = await patience.wait(() => send(input, { ...request, body: again }));
    }
    if (response.body === null) return response;
    const pieces = readPatiently(response.body, patience);
    return response.ok ? inOrder(response, pieces, dialect) : new Response(ReadableStream.from(pieces), response);
  };
}

/** Every wait for a server has the same limit; those before the first byte have it together. */
class Patience {
  readonly signal: AbortSignal;
  readonly #ms: number;
  readonly #expiry = new AbortController();
  readonly #started = performance.now();
  #begun = false;

  constructor(ms: number, signal: AbortSignal | null | undefined) {
    this.#ms = ms;
    this.signal = signal ? AbortSignal.any([signal, this.#expiry.signal]) : this.#expiry.signal;
  }

  async wait<Value>(work: () => Promise<Value>): Promise<Value> {
    const rest = this.#begun ? this.#ms : Math.max(0, this.#ms - (performance.now() - this.#started));
    const timer = setTimeout(() => this.#expiry.abort(), rest);
    try {
      return await work();
    } catch (error) {
      throw this.#expiry.signal.aborted ? waitedTooLong(this.#ms, this.#begun) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  begin(): void {
    this.#begun = true;
  }
}

function waitedTooLong(ms: number, begun: boolean): ModelFailure {
  const problem = `nothing came for ${ms / 1000} s${begun ? " in the middle of the answer" : ""}`;
  return new ModelFailure({ problem, statusCode: null, retryable: false, retryAfterMs: null, kind: "timeout" });
}

async function* readPatiently(body: ReadableStream<Uint8Array>, patience: Patience): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await patience.wait(() => reader.read());
      if (done) return;
      patience.begin();
      yield value;
    }
  } finally {
    // A failed body reports its error a second time here.
    await reader.cancel().catch(() => undefined);
  }
}

/** Looks at the first character, because servers also lie about the content type. */
async function inOrder(response: Response, pieces: AsyncGenerator<Uint8Array>, dialect: Dialect): Promise<Response> {
  const held: Uint8Array[] = [];
  let first = "";
  while (first === "") {
    const piece = await pieces.next();
    if (piece.done === true) break;
    held.push(piece.value);
    first = Buffer.concat(held).toString().trimStart().slice(0, 1);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* held;
    yield* pieces;
  }
  if (first === "{" || first === "[" || first === "<") {
    const events = Buffer.from(readDocument(await textOf(all()), dialect));
    return new Response(inDialect([events], dialect), { headers: { "content-type": "text/event-stream" } });
  }
  return new Response(inDialect(all(), dialect), response);
}

function inDialect(
  events: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  dialect: Dialect,
): ReadableStream<Uint8Array> {
  return ReadableStream.from(dialect === "openai" ? orderEvents(events) : events);
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

/** Node's `fetch`; for longer waits the one of undici, whose own limits can be lifted. */
async function sender(timeoutMs: number): Promise<Fetch> {
  return timeoutMs < NODE_LIMIT_MS ? globalThis.fetch : (unlimited ??= loadUnlimited());
}

let unlimited: Promise<Fetch> | undefined;

async function loadUnlimited(): Promise<Fetch> {
  const { Agent, EnvHttpProxyAgent, fetch } = await import("undici");
  const limits = { headersTimeout: 0, bodyTimeout: 0 };
  const proxied = process.env["NODE_USE_ENV_PROXY"] === "1";
  const dispatcher = proxied ? new EnvHttpProxyAgent(limits) : new Agent(limits);
  return ((input: string, init: object) => fetch(input, { ...init, dispatcher })) as unknown as Fetch;
}
