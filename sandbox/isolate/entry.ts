/**
 * The process that hosts isolates. It communicates over descriptor 3 and exits when that closes. Handlers run on
 * isolated-vm's own threads, so this thread can always read messages; if it cannot, the process is killed.
 */
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { extname } from "node:path";
import { GuestIsolate, type CellPort } from "./guest-isolate.ts";
import { IsolateMemoryWatch } from "./memory.ts";
import { toJavaScript } from "./modules.ts";
import { encodeFrame, FrameReader, type WireFrame, type FromHost, type ToHost } from "./wire.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const reader = new FrameReader<ToHost>();
const cells = new Map<number, GuestIsolate>();

const port: CellPort = {
  guestCode: guestCode(),
  send,
  onBusy: (cell) => memory.onBusy(cell),
  onIdle: (cell) => memory.onIdle(cell),
  onGone(cell) {
    cells.delete(cell.guest);
    memory.forget(cell);
  },
  onCatastrophe: (cell, problem) => die(cell.guest, problem),
};

socket.on("data", (piece: Buffer) => {
  for (const frame of reader.read(piece)) onFrame(frame);
});
// The program has ended in some way; this process must not outlive it, whatever is running here.
socket.on("error", endNow);
socket.on("close", endNow);

const memory = new IsolateMemoryWatch({
  cells: () => cells.values(),
  onExceeded: (cell) => die(cell?.guest ?? null, "it used far more memory than its memory_mb"),
});
send({ type: "ready" });

function onFrame({ message, body }: WireFrame<ToHost>): void {
  if (message.type === "load") return load(message, body);
  const cell = cells.get(message.guest);
  if (cell === undefined) {
    // The isolate ended by itself while this message was on its way.
    if (message.type === "end") send({ type: "ended", guest: message.guest });
    return;
  }
  switch (message.type) {
    case "module":
      return cell.onModule(message.request, { file: message.file, text: body });
    case "no_module":
      return cell.onModule(message.request, new Error(body));
    case "run":
      return cell.run(message.run, message.event, body, message.remainingMs);
    case "reply":
      return cell.reply(message.call, message.ok, body);
    case "end":
      return void cell.end();
  }
}

function load({ guest, file, settings, remainingMs }: ToHost & { type: "load" }, text: string): void {
  const cell = new GuestIsolate({ guest, settings, remainingMs, port });
  cells.set(guest, cell);
  void cell.load({ file, text });
}

/** Reports why and ends the process with everything in it. */
function die(guest: number | null, problem: string): void {
  socket.write(encodeFrame({ type: "fatal", guest }, problem), endNow);
  setTimeout(endNow, 100);
}

/** Not `process.exit`, which waits for threads that may never finish. */
function endNow(): void {
  process.kill(process.pid, "SIGKILL");
}

function send(message: FromHost, body?: string): void {
  socket.write(encodeFrame(message, body));
}

function guestCode(): string {
  const url = new URL(`./guest${extname(import.meta.filename)}`, import.meta.url);
  return toJavaScript({ file: url.pathname, text: readFileSync(url, "utf8") });
}
