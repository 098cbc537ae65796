/** Starts a real nats-server for a test or a benchmark on a free port, with its storage in a temporary folder. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
import { freePort } from "./ports.ts";

export interface NatsServerOptions {
  /** False to start it without JetStream. */
  readonly jetstream?: boolean;
  /** Its configuration file; `authorization { … }`. */
  readonly config?: string;
}

/** A message of a stream. */
export interface StoredMessage {
  readonly subject: string;
  readonly body: unknown;
  readonly id: string | undefined;
}

const START_MS = 30_000;

export class NatsServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: NatsServerOptions;
  readonly #connections: NatsConnection[] = [];
  #child: ChildProcess | undefined;

  private constructor(port: number, options: NatsServerOptions) {
    this.port = port;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), "hermes-nats-"));
  }

  /** Starts a server; `after` is called with what stops it and removes its folder. */
  static async start(
    { after }: { readonly after: (undo: () => Promise<void>) => void },
    options: NatsServerOptions = {},
  ): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), options);
    after(() => server.#dispose());
    await server.restart();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it again on the same port, with what it has stored, or with other options. */
  async restart(options: NatsServerOptions = this.#options): Promise<void> {
    const args = ["-a", "127.0.0.1", "-p", String(this.port)];
    if (options.jetstream !== false) args.push("-js", "-sd", this.#folder);
    if (options.config !== undefined) {
      const file = join(this.#folder, "nats.conf");
      writeFileSync(file, options.config);
      args.push("-c", file);
    }
    // Debian has it where only root looks.
    const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` };
    const child = spawn("nats-server", args, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    await isReady(child);
  }

  /** Ends it without a word to its clients. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Stops it from doing anything until {@link resume}; its connections stay. */
  suspend(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** A connection of the test's own. */
  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const connection = await connect({ servers: [this.url], ...options });
    this.#connections.push(connection);
    return connection;
  }

  async manager(options: ConnectionOptions = {}): Promise<JetStreamManager> {
    return jetstreamManager(await this.connect(options));
  }

  /** All messages of a stream, in their order. */
  async messages(stream: string, manager?: JetStreamManager): Promise<StoredMessage[]> {
    const { streams } = manager ?? (await this.manager());
    const { state } = await streams.info(stream);
    const found: StoredMessage[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await streams.getMessage(stream, { seq });
      if (message === null) continue;
      const { subject, header } = message;
      found.push({ subject, body: message.json(), id: header.get("Nats-Msg-Id") });
    }
    return found;
  }

  async #dispose(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    this.resume();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function isReady(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let log = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    log += text;
    if (log.includes("Server is ready")) resolve();
  });
  child.once("exit", () => reject(new Error(`nats-server has ended:\n${log}`)));
  child.once("error", (error: NodeJS.ErrnoException) => {
    const isMissing = error.code === "ENOENT";
    reject(isMissing ? new Error("nats-server is not installed; Debian has it in the package nats-server") : error);
  });
  const timer = setTimeout(() => reject(new Error(`nats-server did not start:\n${log}`)), START_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
