/**
 * The protocol between the program and a process that hosts isolates. A frame is the length of the rest (4 bytes, big
 * endian), the length of the head (4 bytes), the head as JSON, and a raw body: contexts, answers and sources are
 * strings already and are not escaped a second time.
 */
import { MOST_WIRE_BYTES } from "./limits.ts";
import type { OutputLevel } from "#core/ports/tier";

/** What a handler may do; its isolate starts with these settings. */
export interface GuestSettings {
  readonly memoryMb: number;
  readonly fetch: boolean;
  readonly kv: boolean;
  /** Null without a grant. */
  readonly env: Readonly<Record<string, string>> | null;
}

/** From the program to the process. `guest` is the number of a hook's isolate in that process. */
export type ToHost =
  /** Creates an isolate and loads the handler; body: the source of `file`. */
  | {
      readonly type: "load";
      readonly guest: number;
      readonly file: string;
      readonly settings: GuestSettings;
      /** The time left to the deadline of the run that loads it. */
      readonly remainingMs: number;
    }
  /** Answers an `import`; body: the module's source. */
  | { readonly type: "module"; readonly guest: number; readonly request: number; readonly file: string }
  /** Rejects an `import`; body: the reason. */
  | { readonly type: "no_module"; readonly guest: number; readonly request: number }
  /** Calls the handler; body: the context as JSON. */
  | {
      readonly type: "run";
      readonly guest: number;
      readonly run: number;
      readonly event: string;
      /** The time left to the run's deadline. */
      readonly remainingMs: number;
    }
  /** Answers a `call`; body: the value as JSON, or what went wrong. */
  | { readonly type: "reply"; readonly guest: number; readonly call: number; readonly ok: boolean }
  /** Disposes of the isolate, whatever it is doing. */
  | { readonly type: "end"; readonly guest: number };

/** From the process to the program. */
export type FromHost =
  | { readonly type: "ready" }
  /** Requests the module that `from` imports. */
  | {
      readonly type: "import";
      readonly guest: number;
      readonly request: number;
      readonly specifier: string;
      readonly from: string;
    }
  | { readonly type: "loaded"; readonly guest: number }
  /** The handler cannot be loaded; body: the reason. `tainted` when the process can load nothing any more. */
  | { readonly type: "unusable"; readonly guest: number; readonly file: string; readonly tainted: boolean }
  /** From now on the handler may have had effects. */
  | { readonly type: "begun"; readonly guest: number; readonly run: number }
  /** Body: the answer as JSON. */
  | { readonly type: "answer"; readonly guest: number; readonly run: number }
  /** Body: the handler's error, as a sentence. */
  | { readonly type: "failed"; readonly guest: number; readonly run: number }
  /** Requests something that the handler was granted; body: the arguments as JSON. */
  | { readonly type: "call"; readonly guest: number; readonly call: number; readonly method: string }
  /** Body: the handler's output. */
  | { readonly type: "output"; readonly guest: number; readonly level: OutputLevel }
  /** Body: an uncaught error of the handler. */
  | { readonly type: "stray"; readonly guest: number }
  /** The isolate is gone and the process continues; body: the reason. */
  | { readonly type: "lost"; readonly guest: number }
  /** The isolate is gone because of `end`. */
  | { readonly type: "ended"; readonly guest: number }
  /** The last frame of a process that must exit, with the isolate that caused it; body: the reason. */
  | { readonly type: "fatal"; readonly guest: number | null };

export interface WireFrame<Message> {
  readonly message: Message;
  readonly body: string;
}

const LENGTH_BYTES = 4;

/** Throws a RangeError for a frame that is too large. */
export function encodeFrame(message: ToHost | FromHost, body = ""): Buffer {
  const head = JSON.stringify(message);
  const headBytes = Buffer.byteLength(head);
  const size = LENGTH_BYTES + headBytes + Buffer.byteLength(body);
  if (size > MOST_WIRE_BYTES) throw new RangeError(`a frame of ${size} bytes is too large`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + size);
  frame.writeUInt32BE(size, 0);
  frame.writeUInt32BE(headBytes, LENGTH_BYTES);
  frame.write(head, 2 * LENGTH_BYTES);
  frame.write(body, 2 * LENGTH_BYTES + headBytes);
  return frame;
}

/** Reassembles frames from the chunks in which they arrive. */
export class FrameReader<Message extends ToHost | FromHost> {
  #pieces: Buffer[] = [];
  #size = 0;
  /** How many bytes must arrive before the next frame can be complete. */
  #needed = LENGTH_BYTES;

  /** Returns the frames that a chunk completes. Throws for an invalid frame: then nothing more can be read. */
  *read(piece: Buffer): Generator<WireFrame<Message>> {
    this.#pieces.push(piece);
    this.#size += piece.length;
    while (this.#size >= this.#needed) {
      const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      const size = bytes.readUInt32BE(0);
      if (size < LENGTH_BYTES || size > MOST_WIRE_BYTES) throw new RangeError(`a frame of ${size} bytes`);
      const end = LENGTH_BYTES + size;
      const whole = bytes.length >= end;
      this.#pieces = [whole ? bytes.subarray(end) : bytes];
      this.#size = whole ? bytes.length - end : bytes.length;
      this.#needed = whole ? LENGTH_BYTES : end;
      if (whole) yield decode<Message>(bytes.subarray(LENGTH_BYTES, end));
    }
  }
}

function decode<Message>(frame: Buffer): WireFrame<Message> {
  const head = LENGTH_BYTES + frame.readUInt32BE(0);
  if (head > frame.length) throw new RangeError("the head of a frame is longer than the frame");
  return {
    message: JSON.parse(frame.toString("utf8", LENGTH_BYTES, head)) as Message,
    body: frame.toString("utf8", head),
  };
}
