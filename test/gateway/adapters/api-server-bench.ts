/** A running `api_server` with a test's inbox behind it, and plain requests to it. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { DatabaseSync } from "node:sqlite";
import { createApiServer, type ApiServer, type ApiServerOptions } from "#gateway/adapters/api-server/adapter";
import { openMemoryDatabase } from "#core/home/database";
import { SESSION, TestInbox, noteLog } from "../../helpers/inbox.ts";

export interface Bench {
  readonly server: ApiServer;
  readonly inbox: TestInbox;
  readonly lines: readonly string[];
  readonly url: string;
  readonly port: number;
  /** Asks for a completion; `fields` are laid over the body. */
  ask(fields?: object, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Sends these bytes on a socket of its own. */
  raw(text: string): Promise<Socket>;
}

const MODEL = { id: "test-model", provider: "testing" };

/** What the program gives the adapter. */
export function services() {
  return { model: () => MODEL, version: "1.2.3", database: openBenchDatabase(), isSession: isSessionId };
}

/** A database with the session of the tests' frames. */
export function openBenchDatabase(): DatabaseSync {
  const database = openMemoryDatabase();
  database.exec(
    `INSERT INTO sessions (id, platform, source, created_at, updated_at) VALUES ('${SESSION}', 'api_server', 'x', '', '')`,
  );
  return database;
}

const isSessionId = (id: string) => id === SESSION;

export async function startBench(
  t: { after(fn: () => unknown): void },
  options: Partial<ApiServerOptions> = {},
  inbox = new TestInbox(),
): Promise<Bench> {
  const { lines, log } = noteLog();
  const server = createApiServer({ ...services(), port: 0, log, ...options });
  await server.start(inbox);
  t.after(() => server.stop());
  const { url, port, host } = server.address()!;
  return {
    server,
    inbox,
    lines,
    url,
    port,
    ask: (fields = {}, headers = {}) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ model: "hermes", messages: [{ role: "user", content: "hello" }], ...fields }),
      }),
    async raw(text) {
      const socket = connect(port, host);
      socket.on("error", () => undefined);
      t.after(() => socket.destroy());
      await once(socket, "connect");
      socket.write(text);
      return socket;
    },
  };
}

/** Everything that comes on the socket until the other side ends it, or until `text` has come. */
export async function readUntil(socket: Socket, text?: string): Promise<string> {
  let read = "";
  for await (const chunk of socket) {
    read += String(chunk);
    if (text !== undefined && read.includes(text)) break;
  }
  return read;
}

/** The events of a stream: what stands behind `data: `, and comments as they are. */
export function eventsOf(text: string): string[] {
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ""));
}

export interface Chunk {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly { delta: { role?: string; content?: string }; finish_reason: string | null }[];
  readonly usage?: object | null;
}

/** The chunks of a stream that ended well: everything before `[DONE]`, which must be the last event. */
export function chunksOf(text: string): readonly Chunk[] {
  const events = eventsOf(text).filter((event) => !event.startsWith(":"));
  if (events.at(-1) !== "[DONE]") throw new Error(`the stream did not end: ${text}`);
  return events.slice(0, -1).map((event) => JSON.parse(event) as Chunk);
}

export function contentOf(chunks: readonly Chunk[]): string {
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
}

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly type: string; readonly param: null; readonly code: string };
}

export async function errorOf(response: Response): Promise<ErrorAnswer["error"] & { status: number }> {
  return { status: response.status, ...((await response.json()) as ErrorAnswer).error };
}
