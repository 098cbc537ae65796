/** `host.fetch`: requests to the hosts that a hook's `allow.fetch` names, and to no others. */
import type { LookupFunction } from "node:net";
import type { Agent, Dispatcher } from "undici";
import { canonicalAddress } from "#core/addresses";
import { checkedConnect, RefusedAddressError } from "#core/checked-connect";
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

export interface HookFetchOptions {
  /** Resolves names; the system's by default. */
  readonly lookup?: LookupFunction;
}

/** The connections of all hooks; loaded and opened at the first request. */
export class HookFetch implements AsyncDisposable {
  readonly #options: HookFetchOptions;
  /**
   * By the addresses that are exempt from the check. Hooks that name different ones must not share connections, because
   * a connection to a name is checked when it is opened.
   */
  readonly #agents = new Map<string, Agent>();

  constructor(options: HookFetchOptions = {}) {
    this.#options = options;
  }

  /**
   * Makes a request, follows redirects that are allowed, and reads the whole response. Rejects with an error whose
   * message says what went wrong; it names the host but not the path, which may contain a secret.
   */
  async fetch(request: FetchRequest, allowed: readonly string[], signal: AbortSignal): Promise<FetchResponse> {
    const hosts = new Set(allowed.map(hostOf));
    const exempt = [...hosts].filter(isExempt).toSorted();
    let next = checked(request, hosts);
    for (let redirects = 0; ; redirects++) {
      const response = await this.#request(next, exempt, signal);
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
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  async #request(
    { url, method, headers, body }: Checked,
    exempt: readonly string[],
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { request } = await import("undici");
    const dispatcher = await this.#agentFor(exempt);
    try {
      return await request(url, { dispatcher, method, headers: headers.flat(), body, signal });
    } catch (error) {
      throw failure(url, error, signal);
    }
  }

  async #agentFor(exempt: readonly string[]): Promise<Agent> {
    const { Agent: AgentOf, buildConnector } = await import("undici");
    const key = exempt.join(" ");
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const connect = checkedConnect({ build: buildConnector, exempt, ...this.#options });
      agent = new AgentOf({ connections: CONNECTIONS, maxHeaderSize: FETCH_LIMITS.headerBytes, connect });
      this.#agents.set(key, agent);
    }
    return agent;
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

/** True for a host that stands for addresses, which may be reached even if they are not public. */
function isExempt(host: string): boolean {
  return host === "localhost" || canonicalAddress(host) !== null;
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
  if (error instanceof RefusedAddressError) return new Error(refusal(error), { cause: error });
  const { cause } = error as { cause?: unknown };
  return new Error(`${url.host} cannot be reached: ${problemOf(cause ?? error)}`, { cause: error });
}

function refusal({ message, address, kind }: RefusedAddressError): string {
  const names = kind === "loopback" ? `${address} (or localhost)` : address;
  return `${message}; to allow it, add ${names} to allow.fetch of HOOK.yaml`;
}
