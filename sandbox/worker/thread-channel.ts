/**
 * The handler's side of its connection. The handler may replace any method of any prototype, so this neither uses
 * streams nor looks anything up at run time: reading fills one buffer, and writing is a system call.
 */
import { writevSync } from "node:fs";
import { Socket } from "node:net";

/** Called with one event at a time; the next one comes after its answer. */
export type TakeEvent = (event: string, context: string) => void;
/** Sends a frame: the head as JSON, and a body. Blocks the thread while the program does not read. */
export type SendFrame = (head: string, body: string) => void;

const { parse } = JSON;
const { min } = Math;
const { wait } = Atomics;
const write = writevSync;
const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
const byteLength = Buffer.byteLength.bind(Buffer);
/* oxlint-disable typescript/unbound-method -- bound below: what becomes of the prototypes later does not affect them */
const { call } = Function.prototype;
const methods = Buffer.prototype as Buffer;
const copy = call.bind(methods.copy) as (bytes: Uint8Array, target: Buffer, ...places: number[]) => number;
const readText = call.bind(methods.toString) as (bytes: Buffer, encoding: "utf8", ...places: number[]) => string;
const writeText = call.bind(methods.write) as (bytes: Buffer, text: string, at: number, encoding: "utf8") => number;
const subarray = call.bind(methods.subarray) as (bytes: Buffer, from: number) => Buffer;
/* oxlint-enable typescript/unbound-method */
const LENGTH_BYTES = 4;
const READ_BYTES = 64 * 1024;
const RETRY_MS = 1;
const never = new Int32Array(new SharedArrayBuffer(LENGTH_BYTES));

/** Opens a descriptor. Reading starts immediately and keeps the thread alive. */
export function openThreadChannel(descriptor: number, onEvent: TakeEvent): SendFrame {
  const header = allocate(LENGTH_BYTES);
  let frame = header;
  let filled = 0;
  const take = (bytes: number, buffer: Uint8Array): boolean => {
    for (let at = 0; at < bytes;) {
      const part = min(frame.length - filled, bytes - at);
      copy(buffer, frame, filled, at, at + part);
      at += part;
      filled += part;
      if (filled < frame.length) continue;
      filled = 0;
      if (frame === header) frame = allocate(uint32(header, 0));
      else {
        const whole = frame;
        frame = header;
        decode(whole, onEvent);
      }
    }
    return true;
  };
  const onread = { buffer: allocate(READ_BYTES), callback: take };
  // `onread` is documented for `connect` only, but works for every socket.
  const options = { fd: descriptor, readable: true, writable: false, onread };
  new Socket(options).resume();
  return (head, body) => send(descriptor, head, body);
}

function decode(frame: Buffer, onEvent: TakeEvent): void {
  const context = LENGTH_BYTES + uint32(frame, 0);
  const event = parse(readText(frame, "utf8", LENGTH_BYTES, context)) as string;
  onEvent(event, readText(frame, "utf8", context, frame.length));
}

function send(descriptor: number, head: string, body: string): void {
  const headBytes = byteLength(head);
  const size = LENGTH_BYTES + headBytes + byteLength(body);
  const frame = allocate(LENGTH_BYTES + size);
  setUint32(frame, 0, size);
  setUint32(frame, LENGTH_BYTES, headBytes);
  writeText(frame, head, 2 * LENGTH_BYTES, "utf8");
  writeText(frame, body, 2 * LENGTH_BYTES + headBytes, "utf8");
  for (let sent = 0; sent < frame.length;) sent += writeSome(descriptor, frame, sent);
}

/** Waits when the program is slow to read. */
function writeSome(descriptor: number, frame: Buffer, from: number): number {
  try {
    // Unlike `writeSync`, it reads no property that the handler may have defined on `Object.prototype`.
    return write(descriptor, [from === 0 ? frame : subarray(frame, from)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    wait(never, 0, 0, RETRY_MS);
    return 0;
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}

function setUint32(bytes: Uint8Array, at: number, value: number): void {
  for (let index = 0; index < LENGTH_BYTES; index++)
    bytes[at + index] = (value >>> (8 * (LENGTH_BYTES - 1 - index))) & 0xff;
}
