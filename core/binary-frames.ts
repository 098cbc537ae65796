/**
 * Messages between two processes. A frame is the length of the rest (4 bytes, big endian), the length of the head (4
 * bytes), the head as JSON, and a raw body: contexts, answers and sources are strings already and are not escaped a
 * second time.
 */

export interface BinaryFrame<Message> {
  readonly message: Message;
  readonly body: string;
}

const LENGTH_BYTES = 4;
/** Larger than anything that is sent in one, unless its sender says so. */
const MOST_FRAME_BYTES = 8 * 1024 * 1024;

/** Throws a RangeError for a frame with more than `mostBytes` bytes. */
export function encodeFrame(message: unknown, body = "", mostBytes = MOST_FRAME_BYTES): Buffer {
  const head = JSON.stringify(message);
  const headBytes = Buffer.byteLength(head);
  const size = LENGTH_BYTES + headBytes + Buffer.byteLength(body);
  if (size > mostBytes) throw new RangeError(`a frame of ${size} bytes is too large`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + size);
  frame.writeUInt32BE(size, 0);
  frame.writeUInt32BE(headBytes, LENGTH_BYTES);
  frame.write(head, 2 * LENGTH_BYTES);
  frame.write(body, 2 * LENGTH_BYTES + headBytes);
  return frame;
}

/** Reassembles frames from the chunks in which they arrive. */
export class FrameReader<Message> {
  #pieces: Buffer[] = [];
  #size = 0;
  /** How many bytes must arrive before the next frame can be complete. */
  #needed = LENGTH_BYTES;

  /** Returns the frames that a chunk completes. Throws for an invalid frame: then nothing more can be read. */
  *read(piece: Buffer): Generator<BinaryFrame<Message>> {
    this.#pieces.push(piece);
    this.#size += piece.length;
    while (this.#size >= this.#needed) {
      const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      const size = bytes.readUInt32BE(0);
      if (size < LENGTH_BYTES || size > MOST_FRAME_BYTES) throw new RangeError(`a frame of ${size} bytes`);
      const end = LENGTH_BYTES + size;
      const whole = bytes.length >= end;
      this.#pieces = [whole ? bytes.subarray(end) : bytes];
      this.#size = whole ? bytes.length - end : bytes.length;
      this.#needed = whole ? LENGTH_BYTES : end;
      if (whole) yield decode<Message>(bytes.subarray(LENGTH_BYTES, end));
    }
  }
}

function decode<Message>(frame: Buffer): BinaryFrame<Message> {
  const head = LENGTH_BYTES + frame.readUInt32BE(0);
  if (head > frame.length) throw new RangeError("the head of a frame is longer than the frame");
  return {
    message: JSON.parse(frame.toString("utf8", LENGTH_BYTES, head)) as Message,
    body: frame.toString("utf8", head),
  };
}
