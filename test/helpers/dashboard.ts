/** A dashboard of a test's own, on a free port of loopback, with everything real but the command line around it. */
import { mkdtempSync, rmSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "#core/home/log";
import { HookRegistry, type EventContext } from "#core/registry";
import type { ConfiguredHooks } from "#dashboard/hook-routes";
import type { StoredItems } from "#dashboard/stored-routes";
import { createDashboard, type DashboardServer, type DashboardLimits } from "#dashboard/server";

export interface TestDashboardOptions {
  readonly host?: string;
  readonly allowedHosts?: readonly string[];
  /** Closed after the stop. */
  readonly database?: DatabaseSync;
  readonly stored?: StoredItems;
  readonly configured?: () => Promise<ConfiguredHooks>;
  readonly limits?: Partial<DashboardLimits>;
  /** A folder for the discovery file that others use too. */
  readonly folder?: string;
}

/** A home without stored sessions. */
export const noSessions: StoredItems["sessions"] = {
  list: () => [],
  find: () => undefined,
  usage: () => new Map(),
  toMarkdown: () => "",
  search: () => (async function* () {})(),
};

/** A home without a replay. */
export const noReplays: StoredItems["replays"] = {
  last: async () => undefined,
  changes: async () => [],
  changedEvents: async () => [],
};

/** One element of the stream or of the history. */
export interface ShownEvent {
  readonly seq: number;
  readonly at: string;
  readonly src: string;
  readonly event_type: string;
  readonly context: Record<string, unknown>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  readonly json: () => Record<string, unknown>;
}

export class TestDashboard {
  readonly registry: HookRegistry;
  readonly dashboard: DashboardServer;
  readonly discovery: string;
  readonly warnings: string[] = [];
  /** Failures of handlers. */
  readonly failures: string[] = [];
  readonly log: string[] = [];

  private constructor(folder: string, options: TestDashboardOptions) {
    this.discovery = join(folder, "dashboard.json");
    this.registry = new HookRegistry((sentence) => this.failures.push(sentence));
    this.dashboard = createDashboard({
      host: options.host ?? "127.0.0.1",
      port: 0,
      allowedHosts: options.allowedHosts ?? [],
      registry: this.registry,
      database: options.database,
      stored: options.stored,
      configured: options.configured,
      discovery: this.discovery,
      run: join(folder, "run"),
      log: listLog(this.log),
      redact: (text) => text.replaceAll("hunter2hunter2", "[redacted]"),
      warn: (sentence) => this.warnings.push(sentence),
      version: "1.2.3",
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
  }

  /** Starts one that is stopped after the test. */
  static async start(t: Pick<TestContext, "after">, options: TestDashboardOptions = {}): Promise<TestDashboard> {
    const folder = options.folder ?? temporaryFolder(t);
    const made = new TestDashboard(folder, options);
    await made.dashboard.start();
    t.after(async () => {
      await made.dashboard.stop();
      if (options.database?.isOpen) options.database.close();
    });
    return made;
  }

  get url(): string {
    return this.dashboard.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.dashboard.token}` };
  }

  /** Posts JSON (or a text as it is) to the ingest route, with the token unless other headers are given. */
  ingest(body: unknown, headers: Record<string, string> = this.bearer): Promise<Answer> {
    return this.post("/api/hooks/ingest", body, headers);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return answerOf(fetch(this.url + path, { method: "POST", headers: { ...json, ...headers }, body: text ?? null }));
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(fetch(this.url + path, { headers, redirect: "manual" }));
  }

  /** Signs in with a fresh link; gives the cookie. */
  async signIn(): Promise<string> {
    const code = this.dashboard.signInUrl().split("#code=")[1];
    const { headers } = await this.post("/api/session", { code });
    return headers.get("set-cookie")!.split(";", 1)[0]!;
  }

  async history(query = ""): Promise<readonly ShownEvent[]> {
    const { json } = await this.get(`/api/history${query}`, this.bearer);
    return json()["events"] as ShownEvent[];
  }

  /** A request with headers that `fetch` would not send as they are. */
  raw(path: string, headers: readonly string[], method = "GET"): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port: this.port, path, method, headers, agent: false });
      outgoing.once("error", reject);
      outgoing.once("response", (response: IncomingMessage) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      outgoing.end();
    });
  }

  /** A bare connection. */
  connect(t: Pick<TestContext, "after">): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1");
      t.after(() => socket.destroy());
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        socket.on("error", () => undefined);
        resolve(socket);
      });
    });
  }

  /** Opens the event stream. */
  async stream(t: Pick<TestContext, "after">, query = "", headers: Record<string, string> = this.bearer) {
    const end = new AbortController();
    t.after(() => end.abort());
    const response = await fetch(`${this.url}/api/events${query}`, { headers, signal: end.signal });
    return new EventReader(response, end);
  }

  /** Takes note of what handlers of an event get. */
  captured(event: string): { readonly event_type: string; readonly context: EventContext }[] {
    const seen: { event_type: string; context: EventContext }[] = [];
    this.registry.register(event, (event_type, context) => void seen.push({ event_type, context }));
    return seen;
  }
}

/** Reads server-sent events one by one. */
export class EventReader {
  readonly response: Response;
  readonly #end: AbortController;
  readonly #lines: AsyncIterator<string>;

  constructor(response: Response, end: AbortController) {
    this.response = response;
    this.#end = end;
    this.#lines = blocksOf(response)[Symbol.asyncIterator]();
  }

  /** The next block between empty lines, comments too; undefined at the end. */
  async block(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  /** The next event; `retry` lines and comments are passed over. Fails at the end of the stream. */
  async next(): Promise<ShownEvent & { readonly id: number }> {
    for (;;) {
      const block = await this.block();
      if (block === undefined) throw new Error("the stream has ended");
      const match = /^id: (\d+)\ndata: (.*)$/.exec(block);
      if (match !== null) return { ...(JSON.parse(match[2]!) as ShownEvent), id: Number(match[1]) };
    }
  }

  close(): void {
    this.#end.abort();
  }
}

async function* blocksOf(response: Response): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}

export function temporaryFolder(t: Pick<TestContext, "after">): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-dashboard-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function answerOf(asked: Promise<Response>): Promise<Answer> {
  const response = await asked;
  const text = await response.text();
  const json = () => JSON.parse(text) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, text, json };
}

export function listLog(lines: string[]): Log {
  const add = (message: string) => void lines.push(message);
  const log: Log = { debug: add, info: add, warn: add, error: add, child: () => log };
  return log;
}
