/** Starts a nats-server with JetStream on a free port, with its storage in a temporary folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 30_000;

export interface NatsProcess extends AsyncDisposable {
  readonly url: string;
}

/** Throws when it is not installed. */
export async function startNatsServer(): Promise<NatsProcess> {
  const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
  const port = await freePort();
  const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder];
  // Debian has it where only root looks.
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` };
  const child = spawn("nats-server", args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit").catch(() => undefined);
  const dispose = async () => {
    child.kill("SIGKILL");
    if (child.pid !== undefined) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await isReady(child);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { url: `nats://127.0.0.1:${port}`, [Symbol.asyncDispose]: dispose };
}

async function isReady(child: ReturnType<typeof spawn>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let log = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    log += text;
    if (log.includes("Server is ready")) resolve();
  });
  child.once("exit", () => reject(new Error(`nats-server has ended:\n${log}`)));
  child.once("error", (cause) =>
    reject(new Error("nats-server cannot be started; Debian has it in the package nats-server", { cause })),
  );
  const timer = setTimeout(() => reject(new Error(`nats-server did not start:\n${log}`)), START_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
