/**
 * The main thread of a handler's process. It starts the handler's thread, watches its memory, and ends the process with
 * the thread or with the program. It runs no code of the handler, so it can always do that.
 */
import { Socket } from "node:net";
import { extname } from "node:path";
import { deserialize } from "node:v8";
import { Piscina } from "piscina";
import { encodeFrame } from "#core/binary-frames";
import { problemOf } from "#core/errors";
import { engineLimitMb, watchMemory } from "./memory.ts";
import { CONTROL_DESCRIPTOR, type ProcessMessage, type ProcessStart, type ThreadStart } from "./wire.ts";

const THREAD_ENTRY = new URL(`./thread-entry${extname(import.meta.filename)}`, import.meta.url).href;
const LENGTH_BYTES = 4;
/** How long the last message may take to be written. */
const FLUSH_MS = 100;

const control = new Socket({ fd: CONTROL_DESCRIPTOR, readable: true, writable: true });
let received: Buffer[] = [];
let receivedBytes = 0;
let started = false;
let isEnding = false;

control.on("data", (piece: Buffer) => {
  if (started) return;
  received.push(piece);
  receivedBytes += piece.length;
  if (receivedBytes < LENGTH_BYTES) return;
  // The length is in the first piece, unless that is tiny.
  if (received[0]!.length < LENGTH_BYTES) received = [Buffer.concat(received)];
  const size = LENGTH_BYTES + received[0]!.readUInt32BE(0);
  if (receivedBytes < size) return;
  started = true;
  const message = Buffer.concat(received).subarray(LENGTH_BYTES, size);
  received = [];
  start(deserialize(message) as ProcessStart);
});
// The program has ended in some way; this process must not outlive it, whatever the handler is doing.
control.on("error", endNow);
control.on("close", endNow);

function start({ folder, handler, sources, memoryMb, ownCache, marker }: ProcessStart): void {
  // Only this process is a descendant that the program kills, not what the handler starts.
  if (marker.value === null) delete process.env[marker.name];
  else process.env[marker.name] = marker.value;
  const busy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const state = new Int32Array(busy);
  const pool = new Piscina({
    filename: THREAD_ENTRY,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // Otherwise the thread, and with it the handler's own timers, sleeps between two tasks.
    atomics: "disabled",
    execArgv: [],
    env: process.env,
    resourceLimits: { maxOldGenerationSizeMb: engineLimitMb(memoryMb) },
  });
  // A thread that dies without a task is reported by its exit.
  pool.on("error", () => undefined);
  const task: ThreadStart = { folder, handler, sources, busy, ownCache };
  pool.run(task, { name: "serve" }).catch((error: unknown) => end(causeOf(error, memoryMb)));
  const worker = pool.threads[0]!;
  // Piscina does not report a thread that ends before it takes its task.
  worker.once("exit", () => setImmediate(() => end("it ended before it could start")));
  watchMemory({
    worker,
    memoryMb,
    isBusy: () => Atomics.load(state, 0) === 1,
    onExceeded: (usedMb) => end(`it used ${Math.round(usedMb)} MB (memory_mb is ${memoryMb})`),
  });
  send({ type: "ready" });
}

function causeOf(error: unknown, memoryMb: number): string {
  if ((error as { code?: unknown } | null)?.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return `it ran out of memory (memory_mb is ${memoryMb})`;
  }
  const code = /^worker exited with code: (\d+)$/.exec(problemOf(error))?.[1];
  return code === undefined ? problemOf(error) : `process.exit was called (${code})`;
}

function send(message: ProcessMessage, written?: () => void): void {
  control.write(encodeFrame(message), written);
}

/** Reports why and ends the process. */
function end(problem: string): void {
  if (isEnding) return;
  isEnding = true;
  send({ type: "ends", problem }, endNow);
  setTimeout(endNow, FLUSH_MS);
}

/** Not `process.exit`, which waits for a thread that may never end. */
function endNow(): void {
  process.kill(process.pid, "SIGKILL");
}
