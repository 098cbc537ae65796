/**
 * The process that hosts isolates. It communicates over descriptor 3 and exits when that closes. Handlers run on
 * isolated-vm's own threads, so this thread can always read messages; if it cannot, the process is killed.
 */
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { extname } from "node:path";
import { type BinaryFrame, encodeFrame, FrameReader } from "#core/binary-frames";
import { GuestIsolate, type GuestIsolatePort } from "./guest-isolate.ts";
import { IsolateMemoryWatch } from "./memory.ts";
import { toJavaScript } from "./modules.ts";
import type { FromHost, ToHost } from "./wire.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const reader = new FrameReader<ToHost>();
const isolates = new Map<number, GuestIsolate>();

const port: GuestIsolatePort = {
  guestCode: guestCode(),
  send,
  onBusy: (isolate) => memory.onBusy(isolate),
  onIdle: (isolate) => memory.onIdle(isolate),
  onGone(isolate) {
    isolates.delete(isolate.guest);
    memory.forget(isolate);
  },
  onCatastrophe: (isolate, problem) => die(isolate.guest, problem),
};

socket.on("data", (piece: Buffer) => {
  for (const frame of reader.read(piece)) onFrame(frame);
});
// The program has ended in some way; this process must not outlive it, whatever is running here.
socket.on("error", endNow);
socket.on("close", endNow);

const memory = new IsolateMemoryWatch({
  isolates: () => isolates.values(),
  onExceeded: (isolate) => die(isolate?.guest ?? null, "it used far more memory than its memory_mb"),
});
send({ type: "ready" });

function onFrame({ message, body }: BinaryFrame<ToHost>): void {
  if (message.type === "prepare") return void toJavaScript({ file: "empty.ts", text: "" });
  if (message.type === "load") return load(message, body);
  const isolate = isolates.get(message.guest);
  if (isolate === undefined) {
    // The isolate ended by itself while this message was on its way.
    if (message.type === "end") send({ type: "ended", guest: message.guest });
    return;
  }
  switch (message.type) {
    case "module":
      return isolate.onModule(message.request, { file: message.file, text: body });
    case "no_module":
      return isolate.onModule(message.request, new Error(body));
    case "run":
      return isolate.run(message.run, message.event, body, message.remainingMs);
    case "reply":
      return isolate.reply(message.call, message.ok, body);
    case "end":
      return void isolate.end();
  }
}

function load({ guest, file, settings, remainingMs }: ToHost & { type: "load" }, text: string): void {
  const isolate = new GuestIsolate({ guest, settings, remainingMs, port });
  isolates.set(guest, isolate);
  void isolate.load({ file, text });
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
