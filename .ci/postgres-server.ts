/** A PostgreSQL server of its own for a test or a benchmark, from Debian's package, in a temporary folder. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { freePort, isListening } from "./ports.ts";

const USER = "hermes";
const PASSWORD = "only-for-tests";
const START_MS = 30_000;

export interface PostgresOptions {
  /** Further settings of the server, as `name=value`. */
  readonly settings?: readonly string[];
  /** Survives a machine that loses its power, as a server for real does; a killed one loses nothing without. */
  readonly isDurable?: boolean;
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  readonly #isDurable: boolean;
  #child: ChildProcess | undefined;
  #databases = 0;

  private constructor(folder: string, port: number, { settings = [], isDurable = false }: PostgresOptions) {
    this.#folder = folder;
    this.port = port;
    this.#settings = settings;
    this.#isDurable = isDurable;
  }

  /** Creates and starts one, as another user when this is root, who is not let in. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), "hermes-postgres-"));
    const [uid, gid] = unprivileged();
    if (uid !== undefined) chownSync(folder, uid, gid);
    const server = new PostgresServer(folder, await freePort(), options);
    try {
      const data = join(folder, "data");
      const { status, stderr } = spawnSync(
        ...server.#command("initdb", ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]),
        { encoding: "utf8", cwd: folder },
      );
      if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr}`);
      await server.run();
      await server.query(`ALTER ROLE ${USER} PASSWORD '${PASSWORD}'`);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts it, again after {@link kill} or {@link stop}, with the same data and port. */
  async run(): Promise<void> {
    const settings = [
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      "unix_socket_directories=",
      `fsync=${this.#isDurable ? "on" : "off"}`,
      ...this.#settings,
    ];
    const args = ["-D", join(this.#folder, "data"), ...settings.flatMap((setting) => ["-c", setting])];
    this.#child = spawn(...this.#command("postgres", args), {
      cwd: this.#folder,
      stdio: ["ignore", "ignore", "ignore"],
    });
    await this.#untilReady();
  }

  /** Ends it at once, as a crash would. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
    // Its children notice and end; until then the port and the memory are theirs.
    while (await isListening(this.port)) await pause(20);
  }

  /** Ends it in order, cutting its connections. */
  stop(): Promise<void> {
    return this.#end("SIGINT");
  }

  /** From now on it asks for the password. */
  async demandPassword(): Promise<void> {
    writeFileSync(join(this.#folder, "data", "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");
    await this.query("SELECT pg_reload_conf()");
  }

  /** From now on new connections cannot write beyond so many bytes of a file, as on a disk that is full. */
  limitFiles(bytes: number | "unlimited"): void {
    const [pid = ""] = readFileSync(join(this.#folder, "data", "postmaster.pid"), "utf8").split("\n");
    const limited = asServer("prlimit", ["--pid", pid, `--fsize=${bytes}:unlimited`]);
    const { status, stderr } = spawnSync(...limited, { encoding: "utf8" });
    if (status !== 0) throw new Error(`prlimit ended with ${status}: ${stderr}`);
  }

  /** The url of a new, empty database. */
  async createDatabase(): Promise<string> {
    const name = `test_${process.pid}_${++this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return this.urlOf(name);
  }

  urlOf(database: string, { password = PASSWORD, port = this.port } = {}): string {
    return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
  }

  /** The rows of a statement, run as the superuser. */
  async query<Row>(text: string, database = "postgres"): Promise<readonly Row[]> {
    const client = new Client(this.urlOf(database));
    // What is wrong rejects the statement, too.
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGQUIT");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  #command(name: string, args: string[]): [string, string[]] {
    return asServer(programOf(name), args);
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      try {
        await this.query("SELECT 1");
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await pause(50);
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}

/** Newest version first. Fails with a sentence that names the package. */
function programOf(name: string): string {
  const [found] = globSync(`/usr/lib/postgresql/*/bin/${name}`).toSorted().toReversed();
  if (found !== undefined && existsSync(found)) return found;
  throw new Error(`This test needs ${name}: install the package postgresql.`);
}

/** A command that runs as the server does, and ends with this process. */
function asServer(program: string, args: string[]): [string, string[]] {
  const [uid, gid] = unprivileged();
  if (uid === undefined) return [program, args];
  return ["setpriv", [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--pdeathsig=QUIT", program, ...args]];
}

/** The user and the group that the server runs as; none of them when this process is not root. */
function unprivileged(): readonly [number, number] | readonly [undefined, undefined] {
  if (process.getuid?.() !== 0) return [undefined, undefined];
  const { stdout } = spawnSync("getent", ["passwd", "postgres"], { encoding: "utf8" });
  const [, , uid, gid] = stdout.split(":");
  if (uid === undefined) throw new Error("This test needs the user postgres: install the package postgresql.");
  return [Number(uid), Number(gid)];
}
