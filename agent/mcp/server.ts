/** One configured MCP server: connected at the start, its tools listed, and connected again when it is needed. */
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { MCP_DEFAULTS, type McpServerSettings } from "#core/home/mcp-settings";
import { truncate } from "#core/truncate";
import { connect, ConnectFailure, LostCall, type Connection, type ServerIdentity } from "./connection.ts";
import { endpointOf, type ServerPlace } from "./endpoint.ts";
import { describeFailedStart } from "./failure.ts";
import { readToolList, type ListedTool } from "./listed-tools.ts";
import { toolValue } from "./tool-result.ts";

export interface McpServerDeps extends ServerPlace {
  readonly version: string;
  readonly log: Pick<Log, "debug" | "info" | "warn">;
  /** Removes secrets from what servers write. */
  readonly redact: (text: string) => string;
  /** Takes a sentence for the user, who sees each only once. */
  readonly warn: (sentence: string) => void;
  /** How long a server that did not start is left alone, in milliseconds; a minute when absent. */
  readonly retryMs?: number;
  /** Called when the server's tools are other ones than before. */
  readonly onTools: () => void;
}

type Fields = Readonly<Record<string, unknown>>;

/** Changes that a server announces faster than this are read together. */
const REFRESH_PAUSE_MS = 100;
/** How long the answer of a call that changed the tools waits for their new list. */
const REFRESH_WAIT_MS = 2000;
/** A server may answer with any text as its error. */
const LONGEST_PROBLEM = 4000;
const RETRY_MS = 60_000;

export class McpServer {
  readonly name: string;
  /** What it offers, since it was last asked. */
  tools: readonly ListedTool[] = [];
  /** What it says about itself; undefined before it has started. */
  identity: ServerIdentity | undefined;
  readonly #settings: McpServerSettings;
  readonly #deps: McpServerDeps;
  readonly #closed = new AbortController();
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  /** The reading of a changed list; undefined when there is none. */
  #reading: Promise<void> | undefined;
  /** When the list was last read, of `performance.now()`. */
  #readAt = 0;
  #isStale = false;
  /** When it last failed to start, of `performance.now()`. */
  #failedAt: number | undefined;
  #calls = 0;
  #idle: (() => void) | undefined;

  constructor(name: string, settings: McpServerSettings, deps: McpServerDeps) {
    this.name = name;
    this.#settings = settings;
    this.#deps = deps;
  }

  /** Connects and lists the tools, if that is not done yet. Rejects with HERMES_MCP_SERVER. */
  async start(): Promise<void> {
    await (this.#connection ?? this.#open());
  }

  /** Tries again to start a server that did not start a while ago. Nobody waits for it; the log has how it went. */
  retry(): void {
    if (this.#failedAt === undefined || performance.now() - this.#failedAt < (this.#deps.retryMs ?? RETRY_MS)) return;
    this.#openAgain();
  }

  /**
   * Calls a tool by the server's name of it. A server that has ended is started again, once. Rejects with a sentence
   * for the model; a call that the server may have begun is never sent twice.
   */
  async call(tool: string, args: Fields, signal: AbortSignal): Promise<Fields> {
    this.#calls++;
    try {
      return await this.#callOnce(tool, args, signal);
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.#idle?.();
    }
  }

  /** Closes it once its calls have ended. Never rejects. */
  async retire(): Promise<void> {
    if (this.#calls > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.close();
  }

  /** Ends it and its processes; calls that run fail. Never rejects. */
  async close(): Promise<void> {
    this.#closed.abort();
    // Its failure was reported where it was opened.
    await this.#opening?.catch(() => undefined);
    await this.#connection?.close();
  }

  async #callOnce(tool: string, args: Fields, signal: AbortSignal): Promise<Fields> {
    const timeout = this.#settings.timeout ?? MCP_DEFAULTS.timeout;
    let mayRestart = this.#connection !== undefined;
    for (;;) {
      if (this.#closed.signal.aborted) throw new Error("the MCP server is no longer in use");
      const connection = this.#connection ?? (await unlessAborted(signal, this.#open()));
      try {
        const answer = await connection.call(tool, args, { timeoutMs: timeout * 1000, signal });
        // A call may have changed the tools, which the model should know next.
        if (this.#reading !== undefined) await withDeadline(REFRESH_WAIT_MS, () => this.#reading);
        return toolValue(answer);
      } catch (error) {
        if (signal.aborted) throw new Error("interrupted; the server was asked to stop", { cause: error });
        if (!(error instanceof LostCall)) throw new Error(this.#sentenceFor(error, timeout), { cause: error });
        await this.#drop(connection);
        const isLast = !mayRestart;
        mayRestart = false;
        if (isLast) throw new Error(`the MCP server ended again: ${this.#clean(error.message)}`, { cause: error });
        if (error.isUnsent) continue;
        this.#openAgain();
        throw new Error(
          `the MCP server ended during this call (${this.#clean(error.message)}), which may be done in part. It is being started again.`,
          { cause: error },
        );
      }
    }
  }

  #sentenceFor(error: unknown, timeout: number): string {
    const problem = problemOf(error).replace(/^MCP error -?\d+: /, "");
    if (problem === "Request timed out") {
      return `the MCP server did not answer within ${timeout} s (mcp_servers.${this.name}.timeout) and was asked to stop`;
    }
    return this.#clean(problem);
  }

  /** What a server says, without secrets and in reasonable length. */
  #clean(text: string): string {
    return truncate(this.#deps.redact(text), LONGEST_PROBLEM);
  }

  /** Several calls that find the server gone share one start. */
  #open(): Promise<Connection> {
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  #openAgain(): void {
    this.#open().then(
      () => this.#deps.log.info("the MCP server was started again", { server: this.name }),
      (error: unknown) => this.#deps.log.warn(problemOf(error), { server: this.name }),
    );
  }

  async #connect(): Promise<Connection> {
    const seconds = this.#settings.connect_timeout ?? MCP_DEFAULTS.connect_timeout;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("the time to connect is over")), seconds * 1000);
    const signal = AbortSignal.any([late.signal, this.#closed.signal]);
    const options = { timeoutMs: seconds * 1000, signal };
    try {
      signal.throwIfAborted();
      const connection = await this.#greet(options);
      try {
        this.#take(await connection.listTools(options));
      } catch (error) {
        await connection.close();
        throw error instanceof LostCall ? new ConnectFailure(error.message, { cause: error }) : error;
      }
      this.#connection = connection;
      this.#failedAt = undefined;
      return connection;
    } catch (error) {
      this.#failedAt = performance.now();
      const failure = error instanceof ConnectFailure ? error : new ConnectFailure(problemOf(error), { cause: error });
      const isLate = late.signal.aborted;
      const { message: problem, status, said } = failure;
      const clean = Object.assign(
        new ConnectFailure(this.#clean(problem), { cause: failure.cause, said: this.#clean(said) }),
        { status },
      );
      throw describeFailedStart({ server: this.name, settings: this.#settings, failure: clean, isLate, seconds });
    } finally {
      clearTimeout(timer);
    }
  }

  async #greet(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<Connection> {
    const { log, version } = this.#deps;
    const onText = (line: string) => log.debug(this.#clean(line), { mcp_server: this.name });
    const connection: Connection = await connect({
      endpoint: endpointOf(this.#settings, this.#deps, onText),
      version,
      ...options,
      onToolsChanged: () => this.#refresh(),
      onClose: () => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        if (this.#closed.signal.aborted) return;
        log.warn("the MCP server has ended", { server: this.name, problem: connection.ending() ?? "it is gone" });
      },
    });
    this.identity = connection.identity;
    return connection;
  }

  #take(listed: readonly unknown[]): void {
    const { tools, warnings, unsupported } = readToolList(this.name, listed, this.#settings.tools);
    if (unsupported.length > 0) {
      this.#deps.log.info("MCP tools that only run as tasks are left out", { server: this.name, tools: unsupported });
    }
    this.tools = tools;
    this.#readAt = performance.now();
    for (const warning of warnings) this.#deps.warn(this.#clean(warning));
    this.#deps.onTools();
  }

  /** Reads the list again; changes that are announced meanwhile need one more reading, not one each. */
  #refresh(): void {
    this.#isStale = true;
    this.#reading ??= this.#readAgain().finally(() => {
      this.#reading = undefined;
    });
  }

  async #readAgain(): Promise<void> {
    const timeoutMs = (this.#settings.connect_timeout ?? MCP_DEFAULTS.connect_timeout) * 1000;
    const { signal } = this.#closed;
    while (this.#isStale && !signal.aborted) {
      const pause = Math.max(this.#readAt + REFRESH_PAUSE_MS - performance.now(), 0);
      await new Promise((resolve) => void setTimeout(resolve, pause));
      this.#isStale = false;
      // Starting it again lists its tools, too.
      if (this.#connection === undefined) return;
      try {
        this.#take(await this.#connection.listTools({ timeoutMs, signal }));
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.log.warn("the MCP server's tools could not be listed again", {
          server: this.name,
          problem: this.#clean(problemOf(error)),
        });
      }
    }
  }

  async #drop(connection: Connection): Promise<void> {
    if (this.#connection === connection) this.#connection = undefined;
    await connection.close();
  }
}

/** Rejects at once when the turn is stopped, whatever becomes of the work. */
function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error("interrupted; the server was still starting"));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
