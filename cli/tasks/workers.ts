/** How the workers of a home are found and woken: each has a file with its process in `run/`, and a socket beside it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { ensureFolder, type HomePaths } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { isAlive, processStartOf } from "#core/process-identity";
import { RUN_MARKER } from "#sandbox/process/descendants";

const FILE = /^worker-(\d+)\.json$/;
const CONNECT_MS = 500;

export interface WorkerPlace extends AsyncDisposable {
  /** True when others can wake this worker; false where the socket cannot be had. */
  readonly isWakable: boolean;
}

/** Makes this process a worker of the home that others find. Throws when `run/` cannot be written. */
export async function announceWorker(run: string, onWake: () => void): Promise<WorkerPlace> {
  ensureFolder(run);
  const file = join(run, `worker-${process.pid}.json`);
  const socket = join(run, `worker-${process.pid}.sock`);
  rmSync(socket, { force: true });
  const server = createServer((client) => {
    client.on("error", () => client.destroy());
    client.end();
    onWake();
  });
  const isWakable = await listens(server, socket);
  writePrivateFile(file, JSON.stringify({ pid: process.pid, start: processStartOf(process.pid) }));
  return {
    isWakable,
    async [Symbol.asyncDispose]() {
      rmSync(file, { force: true });
      if (isWakable) await new Promise((closed) => server.close(closed));
    },
  };
}

/** False for a path that is too long for a socket, or a folder that cannot have one: then nobody is woken. */
async function listens(server: Server, socket: string): Promise<boolean> {
  try {
    server.listen(socket);
    await once(server, "listening");
    chmodSync(socket, 0o600);
    server.unref();
    return true;
  } catch {
    // See above: the worker looks every two seconds instead.
    return false;
  }
}

/** Wakes every worker of the home, and starts one when there is none. */
export async function ensureWorker({ run, home }: Pick<HomePaths, "run" | "home">): Promise<void> {
  const workers = liveWorkers(run);
  if (workers.length === 0) return startWorker(home);
  await Promise.all(workers.map((pid) => wake(join(run, `worker-${pid}.sock`))));
}

function startWorker(home: string): void {
  const bin = process.argv[1]!;
  // A session of its own, so that it outlives the terminal; without a mark, so that it outlives the command or hook
  // that submits a task.
  const { [RUN_MARKER]: _, ...env } = process.env;
  const child = spawn(process.execPath, [bin, "--home", home, "worker", "--until-idle"], {
    detached: true,
    env,
    stdio: "ignore",
    cwd: home,
  });
  child.unref();
}

function liveWorkers(run: string): readonly number[] {
  return namesIn(run).flatMap((name) => {
    if (!FILE.test(name)) return [];
    const file = join(run, name);
    const { pid, start } = readIdentity(file);
    if (isAlive(pid, start)) return [pid];
    // It was killed.
    rmSync(file, { force: true });
    return [];
  });
}

function readIdentity(file: string): { pid: number; start: string | null } {
  try {
    const { pid, start } = JSON.parse(readFileSync(file, "utf8")) as { pid?: unknown; start?: unknown };
    return { pid: typeof pid === "number" ? pid : 0, start: typeof start === "string" ? start : null };
  } catch {
    // It has ended meanwhile. No process has the pid 2^22 or more.
    return { pid: 2 ** 22, start: null };
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A home without `run/` has no workers.
    return [];
  }
}

/** Resolves when the worker was woken, or cannot be: then it finds the task by itself. */
function wake(socket: string): Promise<void> {
  return new Promise((resolve) => {
    const client = createConnection(socket, () => client.end());
    client.setTimeout(CONNECT_MS, () => client.destroy());
    client.on("error", () => client.destroy());
    client.resume().once("close", () => resolve());
  });
}
