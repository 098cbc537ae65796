/** Dashboards that a test makes up: real HTTP on loopback, answering however the test likes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export interface ReceivedFrame {
  readonly event_type: string;
  readonly context: Record<string, unknown>;
  readonly src: string;
}

/** A request to the ingest route, with its body read. */
export interface IngestRequest {
  readonly number: number;
  readonly frames: readonly ReceivedFrame[];
  readonly isBatch: boolean;
  readonly token: string;
  readonly dropped: number;
  readonly bytes: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Answers an ingest request and says whether its frames were taken. */
export type Ingest = (request: IngestRequest) => boolean | Promise<boolean>;
type Health = (response: ServerResponse) => void;

/** A home without anything in it. */
export function emptyHome(t: Pick<TestContext, "after">): string {
  const home = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Writes a discovery file as a dashboard does. */
export function announce(home: string, entry: { readonly url: string; token?: string; started_at?: string }): void {
  const { url, token = "test-token", started_at = new Date().toISOString() } = entry;
  const document = { url, hooks_ingest_token: token, pid: process.pid, started_at };
  writeFileSync(join(home, "dashboard.json"), JSON.stringify(document), { mode: 0o600 });
}

export function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Takes everything, as a dashboard of today does. */
export function acceptAll({ frames, isBatch, response }: IngestRequest): boolean {
  reply(response, 200, isBatch ? { ok: true, accepted: frames.length } : { ok: true });
  return true;
}

export class FakeDashboard {
  /** Frames that were taken, in the order of their requests. */
  readonly taken: ReceivedFrame[] = [];
  readonly requests: IngestRequest[] = [];
  /** How many connections carried ingest requests. */
  readonly connections = new Set<unknown>();
  healthChecks = 0;
  token = "test-token";
  /** The path in front of `/api`. */
  prefix = "";
  ingest: Ingest = acceptAll;
  health: Health = (response) => reply(response, 200, { ok: true });
  /** Requests with a wrong token. */
  refusals = 0;
  readonly #server: Server;
  #url = "";

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(
    t: Pick<TestContext, "after">,
    { host = "127.0.0.1", port = 0 }: { host?: string; port?: number } = {},
  ): Promise<FakeDashboard> {
    const server = createServer();
    const dashboard = new FakeDashboard(server);
    server.on("request", (request, response) => void dashboard.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    dashboard.#url = `http://${host}:${(server.address() as AddressInfo).port}`;
    t.after(() => dashboard.stop());
    return dashboard;
  }

  get url(): string {
    return this.#url;
  }

  /** The largest total of drops that a sender told. */
  get dropped(): number {
    return Math.max(0, ...this.requests.map(({ dropped }) => dropped));
  }

  /** The `n` of each context that was taken. */
  numbers(): unknown[] {
    return this.taken.map(({ context }) => context["n"]);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === `${this.prefix}/api/hooks/health`) {
      this.healthChecks++;
      return this.health(response);
    }
    if (request.url !== `${this.prefix}/api/hooks/ingest` || request.method !== "POST") return reply(response, 404, {});
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    if (token !== this.token) {
      this.refusals++;
      return reply(response, 401, { detail: "Unauthorized" });
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const body = JSON.parse(text) as ReceivedFrame | ReceivedFrame[];
    const frames = Array.isArray(body) ? body : [body];
    const entry: IngestRequest = {
      number: this.requests.length,
      frames,
      isBatch: Array.isArray(body),
      token,
      dropped: Number(request.headers["x-hermes-dropped"]),
      bytes: Buffer.byteLength(text),
      request,
      response,
    };
    this.requests.push(entry);
    this.connections.add(request.socket);
    if (await this.ingest(entry)) this.taken.push(...frames);
  }
}
