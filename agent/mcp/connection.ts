/** One connection to an MCP server, from its first message to its last. Loads the SDK, so import it when it is needed. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ResultSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { closeHttp, createSse, createStreamable, mayBeOlder, statusOf, type HttpOptions } from "./http-transport.ts";
import { StdioTransport, UnsentError, type StdioOptions } from "./stdio-transport.ts";

/** How a server is reached. */
export type Endpoint = ({ readonly kind: "stdio" } & StdioOptions) | ({ readonly kind: "http" } & HttpOptions);

export interface ConnectOptions {
  readonly endpoint: Endpoint;
  readonly version: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called when the server says that its tools have changed. */
  readonly onToolsChanged: () => void;
  /** Called once when the connection has ended by itself or was closed. */
  readonly onClose: () => void;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a server says about itself. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
}

type Fields = Readonly<Record<string, unknown>>;

export interface Connection {
  readonly identity: ServerIdentity;
  /** The tools as the server describes them, unchecked. Rejects as {@link Connection.call} does. */
  listTools(options: CallOptions): Promise<readonly unknown[]>;
  /** Calls a tool. Rejects with a {@link LostCall}, or with the server's or the SDK's error. */
  call(tool: string, args: Fields, options: CallOptions): Promise<Fields>;
  /** Why it has ended, as a clause about the server; null while it lasts. */
  ending(): string | null;
  /** Never rejects. */
  close(): Promise<void>;
}

/** The connection ended during a call. */
export class LostCall extends Error {
  /** True when the server cannot have begun the call, so that it can be sent again. */
  readonly isUnsent: boolean;

  constructor(why: string, isUnsent: boolean) {
    super(why);
    this.isUnsent = isUnsent;
  }
}

/** Why no connection came about. */
export class ConnectFailure extends Error {
  /** The status of a server that answered with an error; undefined for everything else. */
  readonly status: number | undefined;
  /** The last thing that the server's process wrote, which often says why; empty if there is nothing. */
  readonly said: string;

  constructor(problem: string, { cause, said = "" }: { readonly cause: unknown; readonly said?: string }) {
    super(problem, { cause });
    this.status = statusOf(cause);
    this.said = said;
  }
}

/** Pages of a list of tools: a server may send a cursor for ever. */
const MOST_PAGES = 100;
const SESSION_GONE = 404;
/** Nothing listens there, so nothing was sent. */
const NOT_REACHED: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

/** Connects and greets. Rejects with a {@link ConnectFailure}; nothing is left running then. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { endpoint } = options;
  if (endpoint.kind === "stdio") return greet(new StdioTransport(endpoint), options);
  try {
    return await greet(createStreamable(endpoint), options);
  } catch (error) {
    if (!mayBeOlder((error as ConnectFailure).cause)) throw error;
    // The first failure says more, where the older protocol fails as well.
    return greet(createSse(endpoint), options).catch(() => {
      throw error as Error;
    });
  }
}

async function greet(transport: Transport, options: ConnectOptions): Promise<Connection> {
  const { timeoutMs, signal, version } = options;
  const client = new Client({ name: "hermes-hooks", version }, { capabilities: {} });
  const close = () => (transport instanceof StdioTransport ? transport.close() : closeHttp(transport));
  try {
    client.setNotificationHandler(ToolListChangedNotificationSchema, options.onToolsChanged);
    await orAborted(signal, client.connect(transport, { timeout: timeoutMs, signal }));
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target
    client.onclose = options.onClose;
    const { name = "", version: theirs = "" } = client.getServerVersion() ?? {};
    return createConnection(client, { transport, identity: { name, version: theirs }, close });
  } catch (error) {
    await close();
    const isProcess = transport instanceof StdioTransport;
    const ended = isProcess && !signal.aborted && transport.ending !== "it was ended" ? transport.ending : null;
    throw new ConnectFailure(ended ?? messageOf(error), {
      cause: error,
      said: isProcess ? transport.lastText : "",
    });
  }
}

/** The SDK waits without a limit for the stream of an older server. */
function orAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

interface Parts {
  readonly transport: Transport;
  readonly identity: ServerIdentity;
  readonly close: () => Promise<void>;
}

function createConnection(client: Client, { transport, identity, close }: Parts): Connection {
  const ending = () => (transport instanceof StdioTransport ? transport.ending : null);

  async function request(method: string, params: Fields, { timeoutMs, signal }: CallOptions): Promise<Fields> {
    const sentBefore = transport instanceof StdioTransport ? transport.bytesSent : 0;
    // The SDK leaves its listener on the signal, which may be that of a long turn.
    const own = new AbortController();
    const stop = () => own.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await client.request({ method, params }, ResultSchema, { timeout: timeoutMs, signal: own.signal });
    } catch (error) {
      throw lost(error, sentBefore) ?? error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The error of a connection that ended; undefined for every other one. */
  function lost(error: unknown, sentBefore: number): LostCall | undefined {
    if (transport instanceof StdioTransport) {
      if (error instanceof UnsentError) return new LostCall(error.message, true);
      if (transport.ending === null) return undefined;
      return new LostCall(transport.ending, transport.bytesRead !== null && transport.bytesRead <= sentBefore);
    }
    const reason = networkReason(error);
    if (reason === undefined && statusOf(error) !== SESSION_GONE) return undefined;
    return new LostCall(messageOf(error), reason === undefined || NOT_REACHED.has(reason));
  }

  return {
    identity,
    async listTools(options) {
      const tools: unknown[] = [];
      let cursor: unknown;
      for (let page = 0; page < MOST_PAGES; page++) {
        const result = await request("tools/list", cursor === undefined ? {} : { cursor }, options);
        if (Array.isArray(result["tools"])) tools.push(...(result["tools"] as readonly unknown[]));
        cursor = result["nextCursor"];
        if (typeof cursor !== "string") break;
      }
      return tools;
    },
    call: (tool, args, options) => request("tools/call", { name: tool, arguments: args }, options),
    ending,
    close,
  };
}

/** The system's code of a failed connection (`ECONNREFUSED`), or undefined when that is not why. */
function networkReason(error: unknown): string | undefined {
  const cause = (error as { readonly cause?: unknown } | null)?.cause;
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** What went wrong, with the reason behind `fetch failed`. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  return message === "fetch failed" && cause instanceof Error ? cause.message || message : message;
}
