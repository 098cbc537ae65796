/** A server that takes lines of JSON by HTTP: compressed, several in a request. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Agent } from "undici";
import { problemOf } from "#core/errors";
import { parseRetryAfter } from "#core/retry-after";
import { LaterError, RefusedError, type Sink } from "./sink.ts";

export interface HttpSinkOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The version of the program, for the user agent. */
  readonly version: string;
}

const compress = promisify(gzip);
/** A status below 500 that may be another one later. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 429]);

export class HttpSink implements Sink {
  readonly #options: HttpSinkOptions;
  #agent: Agent | undefined;

  constructor(options: HttpSinkOptions) {
    this.#options = options;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<number> {
    const { request, Agent: AgentOf } = await import("undici");
    const { url, headers, version } = this.#options;
    this.#agent ??= new AgentOf({ connections: 1 });
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    const response = await request(url, {
      dispatcher: this.#agent,
      method: "POST",
      headers: {
        "user-agent": `hermes-hooks/${version}`,
        ...Object.fromEntries(own),
        "content-type": "application/x-ndjson",
        "content-encoding": "gzip",
      },
      body: await compress(`${lines.join("\n")}\n`),
      signal,
    }).catch((error: unknown) => {
      // undici wraps what the system says.
      throw new Error(problemOf((error as { cause?: unknown }).cause ?? error), { cause: error });
    });
    const { statusCode: status } = response;
    // The status decides, so an answer that breaks off is no problem.
    await response.body.dump({ limit: 65_536, signal }).catch(() => undefined);
    if (status >= 200 && status < 300) return lines.length;
    const said = `the server answered ${status}`;
    if (status >= 500 || TRANSIENT.has(status)) {
      throw new LaterError(said, parseRetryAfter(response.headers["retry-after"], Date.now()));
    }
    throw new RefusedError(status < 400 ? `${said}: redirects are not followed` : said);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.destroy();
  }
}
