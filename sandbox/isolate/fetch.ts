/** `host.fetch`: requests to the hosts that a hook's `allow.fetch` names, and to no others. */
import type { Agent, Dispatcher } from "undici";
import { problemOf } from "#core/errors";
import { FETCH_LIMITS } from "./limits.ts";

export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | null;
}

export interface FetchResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** Headers that belong to the connection, or that could name another host than the URL. */
const REFUSED_HEADERS =
  /^(?:host|connection|keep-alive|proxy-.*|upgrade|transfer-encoding|content-length|te|trailer|expect|accept-encoding)$/i;
/** Not sent to another host after a redirect. */
const CREDENTIALS = /^(?:authorization|cookie)$/i;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Maximum number of connections to one host; further requests wait, within their run's deadline. */
const CONNECTIONS = 8;

/** The connections of all hooks; loaded and opened at the first request. */
export class HookFetch implements AsyncDisposable {
  #agent: Agent | undefined;

  /**
   * Makes a request, follows redirects that are allowed, and reads the whole response. Rejects with an error whose
   * message says what went wrong; it names the host but not the path, which may contain a secret.
   */
  async fetch(request: FetchRequest, allowed: readonly string[], signal: AbortSignal): Promise<FetchResponse> {
    const hosts = new Set(allowed.map(hostOf));
    let next = checked(request, hosts);
    for (let redirects = 0; ; redirects++) {
      const response = await this.#request(next, signal);
      const location = response.headers["location"];
      if (!REDIRECTS.has(response.statusCode) || location === undefined) return read(response, next.url, signal);
      // Nobody reads the body, so close the connection.
      response.body.on("error", () => undefined).destroy();
      if (redirects === FETCH_LIMITS.redirects) {
        throw new Error(`${next.url.host} redirected more than ${FETCH_LIMITS.redirects} times`);
      }
      next = redirected(next, response.statusCode, String(location), hosts);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.destroy();
  }

  async #request({ url, method, headers, body }: Checked, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { Agent: AgentOf, request } = await import("undici");
    this.#agent ??= new AgentOf({ connections: CONNECTIONS, maxHeaderSize: FETCH_LIMITS.headerBytes });
    try {
      return await request(url, {
        dispatcher: this.#agent,
        method,
        headers: headers.flat(),
        body,
        signal,
      });
    } catch (error) {
      throw failure(url, error, signal);
    }
  }
}

interface Checked extends Omit<FetchRequest, "url"> {
  readonly url: URL;
}

function checked({ url: text, method, headers, body }: FetchRequest, hosts: ReadonlySet<string>): Checked {
  const verb = method.toUpperCase();
  if (!METHODS.has(verb))
    throw new Error(`host.fetch does not support the method ${JSON.stringify(method.slice(0, 20))}`);
  if (body !== null && (verb === "GET" || verb === "HEAD")) throw new Error(`a ${verb} request cannot have a body`);
  if (body !== null && Buffer.byteLength(body) > FETCH_LIMITS.bodyBytes) {
    throw new Error(`the request's body is larger than ${FETCH_LIMITS.bodyBytes} bytes`);
  }
  if (headers.length > FETCH_LIMITS.headers) throw new Error(`more than ${FETCH_LIMITS.headers} headers`);
  let size = 0;
  for (const [name, value] of headers) {
    if (REFUSED_HEADERS.test(name)) throw new Error(`host.fetch cannot set the header ${name}`);
    size += name.length + value.length;
  }
  if (size > FETCH_LIMITS.headerBytes) throw new Error(`more than ${FETCH_LIMITS.headerBytes} bytes of headers`);
  if (text.length > FETCH_LIMITS.urlLength) throw new Error("the URL is too long");
  return { url: allowedUrl(text, undefined, hosts), method: verb, headers, body };
}

/** As in browsers: a redirected POST becomes a GET, except after 307 and 308. */
function redirected(from: Checked, status: number, location: string, hosts: ReadonlySet<string>): Checked {
  const url = allowedUrl(location, from.url, hosts);
  const { method } = from;
  const becomesGet = status === 303 ? method !== "GET" && method !== "HEAD" : status < 307 && method === "POST";
  const headers = from.headers.filter(([name]) => {
    if (url.origin !== from.url.origin && CREDENTIALS.test(name)) return false;
    return !becomesGet || !/^content-/i.test(name);
  });
  return { url, headers, method: becomesGet ? "GET" : method, body: becomesGet ? null : from.body };
}

function allowedUrl(text: string, base: URL | undefined, hosts: ReadonlySet<string>): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new Error("the URL is invalid");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Error(`host.fetch does not support ${url.protocol}`);
  if (url.username !== "" || url.password !== "") {
    throw new Error("the URL contains a user name or password; send them in a header");
  }
  const via = base === undefined ? "" : `${base.host} redirects to another host, and `;
  if (!hosts.has(url.hostname)) throw new Error(`${via}${url.hostname} is not listed in allow.fetch of HOOK.yaml`);
  return url;
}

/** A name of `allow.fetch` in the form that URLs use. */
function hostOf(name: string): string {
  return URL.parse(`http://${name.includes(":") && !name.startsWith("[") ? `[${name}]` : name}`)?.hostname ?? name;
}

async function read(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: URL,
  signal: AbortSignal,
): Promise<FetchResponse> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > FETCH_LIMITS.bodyBytes) break;
      pieces.push(piece);
    }
  } catch (error) {
    throw failure(url, error, signal);
  }
  if (size > FETCH_LIMITS.bodyBytes) {
    throw new Error(`the response of ${url.host} is larger than ${FETCH_LIMITS.bodyBytes} bytes`);
  }
  const received = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return {
    status: statusCode,
    headers: Object.fromEntries(received) as Record<string, string>,
    body: new TextDecoder().decode(Buffer.concat(pieces)),
  };
}

function failure(url: URL, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return new Error(`${url.host} did not answer before the handler's deadline`);
  const { cause } = error as { cause?: unknown };
  return new Error(`${url.host} cannot be reached: ${problemOf(cause ?? error)}`, { cause: error });
}
