/**
 * How the processes of a home find and wake each other: each has a file with its process in `run/`, and a socket beside
 * it. Whoever connects wakes it, and wakes it again when the connection ends, however the other process ends.
 */
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { isAlive, processStartOf } from "#core/process-identity";

/** What a process can be woken for: a worker runs tasks and sends webhooks, others only send webhooks. */
export type WakeRole = "worker" | "webhooks";

const FILE = /^(worker|webhooks)-(\d+)\.json$/;
const CONNECT_MS = 500;

export interface WakePlace extends AsyncDisposable {
  /** True when others can wake this process; false where the socket cannot be had. */
  readonly isWakable: boolean;
}

/** From now on others find this process. Throws when `run/` cannot be written. */
export async function openWakeSocket(run: string, role: WakeRole, onWake: () => void): Promise<WakePlace> {
  ensureFolder(run);
  const { file, socket } = placeOf(run, role, process.pid);
  rmSync(socket, { force: true });
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.unref().resume();
    client.on("error", () => client.destroy());
    client.once("close", () => {
      clients.delete(client);
      onWake();
    });
    onWake();
  });
  const isWakable = await listens(server, socket);
  writePrivateFile(file, JSON.stringify({ pid: process.pid, start: processStartOf(process.pid) }));
  return {
    isWakable,
    async [Symbol.asyncDispose]() {
      rmSync(file, { force: true });
      if (!isWakable) return;
      const closed = once(server, "close");
      server.close();
      for (const client of clients) client.destroy();
      await closed;
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
    // See above: who cannot be woken looks from time to time.
    return false;
  }
}

/** The processes of the home that can be woken for one of these, without this process. */
export function wakableProcesses(run: string, roles: readonly WakeRole[]): readonly { pid: number; socket: string }[] {
  return namesIn(run).flatMap((name) => {
    const [, role, number] = FILE.exec(name) ?? [];
    if (role === undefined || !roles.includes(role as WakeRole) || Number(number) === process.pid) return [];
    const { file, socket } = placeOf(run, role as WakeRole, Number(number));
    const { pid, start } = readIdentity(file);
    if (isAlive(pid, start)) return [{ pid, socket }];
    // It was killed.
    for (const left of [file, socket]) rmSync(left, { force: true });
    return [];
  });
}

/** Wakes a process. Resolves when it was woken, or cannot be: then it finds its work by itself. */
export function wake(socket: string): Promise<void> {
  return new Promise((resolve) => {
    const client = createConnection(socket, () => client.end());
    client.setTimeout(CONNECT_MS, () => client.destroy());
    client.on("error", () => client.destroy());
    client.resume().once("close", () => resolve());
  });
}

/** Wakes all others, to run tasks and to send webhooks. */
export async function wakeAll(run: string): Promise<void> {
  await Promise.all(wakableProcesses(run, ["worker", "webhooks"]).map(({ socket }) => wake(socket)));
}

/**
 * Wakes all who can send webhooks now, and when the returned function is called or this process ends, however it does.
 */
export function wakeAtEnd(run: string): () => void {
  const clients = wakableProcesses(run, ["worker", "webhooks"]).map(({ socket }) => {
    const client = createConnection(socket);
    // Who has ended meanwhile is not needed.
    client.on("error", () => client.destroy());
    return client.resume().unref();
  });
  return () => clients.forEach((client) => client.destroy());
}

function placeOf(run: string, role: WakeRole, pid: number): { readonly file: string; readonly socket: string } {
  const base = join(run, `${role}-${pid}`);
  return { file: `${base}.json`, socket: `${base}.sock` };
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
    // A home without `run/` has nobody to wake.
    return [];
  }
}
