/** One request of a webhook: only to an address that it may reach, signed, and limited in time and size. */
import type { LookupFunction } from "node:net";
import type { Agent, Dispatcher } from "undici";
import { canonicalAddress } from "#core/addresses";
import { checkedConnect, RefusedAddressError } from "#core/checked-connect";
import { problemOf } from "#core/errors";
import type { ClaimedDelivery } from "#core/ports/deliveries";
import { parseRetryAfter } from "#core/retry-after";
import { terminalText } from "#core/terminal-text";
import { truncate } from "#core/truncate";
import type { Endpoint } from "./endpoints.ts";
import type { SendResult } from "./retry.ts";
import { authHeaders } from "./sign.ts";
import { renderBody } from "./transform.ts";

export interface SenderOptions {
  /** The version of the program, for the user agent. */
  readonly version: string;
  readonly redact: (text: string) => string;
  /** Resolves names; the system's by default. */
  readonly lookup?: LookupFunction;
}

/** How much of an answer is read, and how much of it an error quotes. */
const MOST_ANSWER_BYTES = 64 * 1024;
const QUOTED_CHARACTERS = 200;
/** Connections to one host; further requests wait. */
const CONNECTIONS = 8;
/** The only hosts of a private address that need no permission: whoever writes them means this machine. */
const THIS_MACHINE: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Sends deliveries; undici is loaded and connections are opened at the first. */
export class WebhookSender implements AsyncDisposable {
  readonly #options: SenderOptions;
  /** By the addresses that are exempt from the check, `*` for all. */
  readonly #agents = new Map<string, Agent>();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Makes one attempt. Never rejects; rejecting is left to `signal`, whose abort is a problem like any other. */
  async send(endpoint: Endpoint, delivery: ClaimedDelivery, signal: AbortSignal): Promise<SendResult> {
    const deadline = AbortSignal.timeout(endpoint.timeoutSeconds * 1000);
    try {
      const body = renderBody(endpoint.transform, delivery.payload);
      const response = await this.#request(endpoint, delivery, body, AbortSignal.any([signal, deadline]));
      const answer = await readAnswer(response.body);
      return this.#judge(response, answer);
    } catch (error) {
      const problem = deadline.aborted ? `no answer within ${endpoint.timeoutSeconds} s` : problemWith(error);
      return { status: null, error: this.#options.redact(problem), retryAfterMs: 0 };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  async #request(
    endpoint: Endpoint,
    { id, event }: ClaimedDelivery,
    body: string,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { request } = await import("undici");
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = {
      ...lowerCase(endpoint.headers),
      "content-type": "application/json",
      "user-agent": `hermes-hooks/${this.#options.version}`,
      "x-hermes-event": event,
      "x-hermes-delivery": id,
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      ...lowerCase(authHeaders(endpoint.auth, { id, timestamp, body })),
    };
    const dispatcher = await this.#agentFor(endpoint);
    return request(endpoint.url, { dispatcher, method: endpoint.method, headers, body, signal });
  }

  #judge({ statusCode: status, headers }: Dispatcher.ResponseData, answer: string): SendResult {
    if (status >= 200 && status < 300) return { status, error: null, retryAfterMs: 0 };
    const retryAfterMs = parseRetryAfter(headers["retry-after"], Date.now());
    const { location } = headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      const to = URL.parse(String(location))?.host;
      return {
        status,
        error: `answered ${status}: redirects${to ? ` (to ${to})` : ""} are not followed`,
        retryAfterMs,
      };
    }
    const said = truncate(terminalText(answer).replaceAll(/\s+/g, " ").trim(), QUOTED_CHARACTERS);
    return { status, error: this.#options.redact(`answered ${status}${said === "" ? "" : `: ${said}`}`), retryAfterMs };
  }

  async #agentFor({ url, allowPrivate }: Endpoint): Promise<Agent> {
    const { Agent: AgentOf, buildConnector } = await import("undici");
    const { hostname } = new URL(url);
    const exempt = THIS_MACHINE.has(hostname) ? [canonicalAddress(hostname) ?? hostname] : [];
    const key = allowPrivate ? "*" : exempt.join(" ");
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const { lookup } = this.#options;
      const checked = { build: buildConnector, exempt, ...(lookup === undefined ? {} : { lookup }) };
      agent = new AgentOf({ connections: CONNECTIONS, ...(allowPrivate ? {} : { connect: checkedConnect(checked) }) });
      this.#agents.set(key, agent);
    }
    return agent;
  }
}

/** The beginning of an answer. Its status decides, so a body that breaks off is no problem. */
async function readAnswer(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= MOST_ANSWER_BYTES) break;
    }
  } catch {
    // See above: also when the deadline has passed.
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

function problemWith(error: unknown): string {
  if (error instanceof RefusedAddressError) return `${error.message}; "allow_private: true" would allow it`;
  const { cause } = error as { cause?: unknown };
  return problemOf(cause ?? error);
}

/** Names of headers are compared without case, but objects are not. */
function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
