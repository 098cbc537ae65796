import type { Readable } from "node:stream";

export interface CapturedOutput {
  /** Resolves when the pipe is at its end or destroyed. */
  readonly closed: Promise<void>;
  text(): string;
  truncated(): boolean;
  /** Closes our end of the pipe, whoever still holds the other one. */
  destroy(): void;
}

export interface OutputBound {
  /** Bytes kept at most. */
  readonly most: number;
  /** How many of them are kept for the end of the output (0: the beginning alone is kept). */
  readonly tail: number;
  /** Called once when there is more than `most`. */
  readonly onOverflow: () => void;
  /** Takes every chunk as it comes. */
  readonly onChunk?: ((chunk: Buffer) => void) | undefined;
}

/**
 * Reads a stream to its end and keeps its first `most - tail` and its last `tail` bytes. With a tail, the text says
 * between the two how many bytes were left out.
 */
export function collectOutput(
  stream: Readable | null,
  { most, tail, onOverflow, onChunk }: OutputBound,
): CapturedOutput {
  const head: Buffer[] = [];
  const end: Buffer[] = [];
  let headRoom = most - tail;
  let endBytes = 0;
  let total = 0;
  const { promise: closed, resolve } = Promise.withResolvers<void>();

  const keepEnd = (chunk: Buffer) => {
    end.push(chunk);
    endBytes += chunk.length;
    // Whole chunks go as soon as those after them fill the tail, so that at most one chunk too many is held.
    while (end[0] !== undefined && endBytes - end[0].length >= tail) endBytes -= (end.shift() as Buffer).length;
  };
  stream?.on("data", (chunk: Buffer) => {
    const before = total;
    total += chunk.length;
    onChunk?.(chunk);
    if (headRoom > 0) head.push(chunk.subarray(0, headRoom));
    if (tail > 0 && chunk.length > headRoom) keepEnd(chunk.subarray(headRoom));
    headRoom = Math.max(0, headRoom - chunk.length);
    if (before <= most && total > most) onOverflow();
  });
  // A pipe that breaks while it is read has given all there is; the process's end tells the rest.
  stream?.on("error", () => resolve());
  stream?.once("close", () => resolve());
  if (stream === null) resolve();

  const text = () => {
    if (total <= most) return decode(Buffer.concat([...head, ...end]), false);
    const first = decode(Buffer.concat(head), true);
    if (tail === 0) return first;
    return `${first}\n[… ${total - most} bytes left out …]\n${decode(fromCharacter(Buffer.concat(end).subarray(-tail)), false)}`;
  };
  return { closed, text, truncated: () => total > most, destroy: () => void stream?.destroy() };
}

/** Of a text that was cut the last character may be half there: `cut` leaves its bytes out. */
function decode(bytes: Buffer, cut: boolean): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: cut });
}

/** Without the rest of a character that was cut in half at the beginning (at most three bytes). */
function fromCharacter(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
