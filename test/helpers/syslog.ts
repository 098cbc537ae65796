/** Syslog servers that write down what they get. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createServer as createTlsServer } from "node:tls";

export interface SyslogServer {
  readonly port: number;
  readonly messages: readonly string[];
  close(): Promise<void>;
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Makes a certificate for `localhost` that vouches for itself; gives the paths of its files. */
export function createCertificate(folder: string): Certificate {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  return { key, cert };
}

/** A server behind UDP on a free port, or on a given one. */
export async function startUdp(t: TestContext, port = 0): Promise<SyslogServer> {
  const messages: string[] = [];
  const socket = createSocket("udp4").on("message", (message) => messages.push(message.toString()));
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await new Promise<void>((closed) => socket.close(closed));
  };
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  t.after(close);
  return { port: socket.address().port, messages, close };
}

/** A server behind TCP, or TLS with a certificate. It takes messages with their length before them, and nothing else. */
export async function startTcp(
  t: TestContext,
  { port = 0, tls }: { port?: number; tls?: Certificate } = {},
): Promise<SyslogServer> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    sockets.add(socket);
    let buffer = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (piece: Buffer) => {
      buffer = Buffer.concat([buffer, piece]);
      for (let frame = nextFrame(buffer); frame !== null; frame = nextFrame(buffer)) {
        messages.push(frame.toString());
        buffer = buffer.subarray(buffer.indexOf(" ") + 1 + frame.length);
      }
    });
  };
  const server: Server =
    tls === undefined
      ? createServer(take)
      : createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, take);
  server.on("tlsClientError", () => undefined);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((closed) => server.close(closed));
  };
  t.after(close);
  return { port: (server.address() as AddressInfo).port, messages, close };
}

function nextFrame(buffer: Buffer): Buffer | null {
  const space = buffer.indexOf(" ");
  if (space === -1) return null;
  const length = buffer.subarray(0, space).toString();
  if (!/^[1-9]\d*$/.test(length)) throw new Error(`not a length: ${length}`);
  const frame = buffer.subarray(space + 1, space + 1 + Number(length));
  return frame.length === Number(length) ? frame : null;
}
