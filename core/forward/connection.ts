/** One connection to a dashboard, kept open between requests. */
import type { Client } from "undici";
import { MESSAGE_IDS_HEADER } from "./message-ids.ts";

/** A dashboard's answer. */
export interface ConnectionAnswer {
  readonly status: number;
  readonly body: string;
}

/** Maximum size of an answer. */
const MOST_ANSWER_BYTES = 64 * 1024;
const CONNECT_MS = 2000;
const IDLE_MS = 30_000;

export interface PostOptions {
  readonly token: string;
  readonly body: string;
  /** The number of events that this process has dropped (CONTRACT §9). */
  readonly dropped: number;
  /** The IDs of the events in a stream that they also go to; undefined without one. */
  readonly messageIds: string | undefined;
}

export class DashboardConnection {
  readonly #client: Client;
  readonly #base: string;

  private constructor(client: Client, base: string) {
    this.#client = client;
    this.#base = base;
  }

  /** Creates a connection; it connects with its first request. */
  static async to(url: string): Promise<DashboardConnection> {
    const { Client: UndiciClient, buildConnector } = await import("undici");
    const { origin, pathname } = new URL(url);
    const connect = buildConnector({ timeout: CONNECT_MS, allowH2: false });
    const client = new UndiciClient(origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      maxResponseSize: MOST_ANSWER_BYTES,
      // A hanging dashboard must not delay the program's exit; callers that wait for an answer have a timer.
      connect: (options, done) =>
        connect(options, (...[error, socket]) => {
          if (error !== null) return done(error, null);
          socket.unref();
          socket.ref = () => socket;
          done(null, socket);
        }),
    });
    return new DashboardConnection(client, pathname.replace(/\/+$/, ""));
  }

  /** Checks for a dashboard. Rejects when it cannot be reached. */
  async isHealthy(): Promise<boolean> {
    const { status, body } = await this.#request({ method: "GET", path: "/api/hooks/health" });
    return status === 200 && objectOf(body)?.["ok"] === true;
  }

  /** Sends frames. Rejects when the connection fails; has no timeout. */
  post({ token, body, dropped, messageIds }: PostOptions): Promise<ConnectionAnswer> {
    return this.#request({
      method: "POST",
      path: "/api/hooks/ingest",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "x-hermes-dropped": String(dropped),
        ...(messageIds === undefined ? {} : { [MESSAGE_IDS_HEADER]: messageIds }),
      },
      body,
    });
  }

  /** Closes the connection; pending requests reject. */
  close(): void {
    void this.#client.destroy();
  }

  async #request(options: {
    method: "GET" | "POST";
    path: string;
    headers?: Record<string, string>;
    body?: string;
  }): Promise<ConnectionAnswer> {
    const answer = await this.#client.request({ ...options, path: this.#base + options.path });
    return { status: answer.statusCode, body: await answer.body.text() };
  }
}

/** Parses a JSON object; undefined for anything else. */
export function objectOf(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON, so not from a dashboard.
    return undefined;
  }
}
