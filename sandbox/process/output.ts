import type { Readable } from "node:stream";

export interface CapturedOutput {
  /** Resolves when the pipe has ended or is destroyed. */
  readonly closed: Promise<void>;
  text(): string;
  truncated(): boolean;
  /** Closes our end of the pipe, even if the other end is still open. */
  destroy(): void;
}

export interface OutputBound {
  /** Maximum number of bytes to keep. */
  readonly most: number;
  /** How many of them are for the end of the output (0: only the beginning is kept). */
  readonly tail: number;
  /** Called once when the output exceeds `most`. */
  readonly onOverflow: () => void;
  /** Takes every chunk as it comes. */
  readonly onChunk?: ((chunk: Buffer) => void) | undefined;
}

/**
 * Reads a stream to its end and keeps its first `most - tail` and last `tail` bytes. With a tail, a note between the
 * two says how many bytes were omitted.
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
    // A chunk is dropped as soon as later ones fill the tail, so at most one extra chunk is held.
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
  // A pipe that breaks while it is read has no more data; how the process ended tells the rest.
  stream?.on("error", () => resolve());
  stream?.once("close", () => resolve());
  if (stream === null) resolve();

  const text = () => {
    if (total <= most) return decode(Buffer.concat([...head, ...end]), false);
    const first = decode(Buffer.concat(head), true);
    if (tail === 0) return first;
    return `${first}\n[… ${total - most} bytes omitted …]\n${decode(fromCharacter(Buffer.concat(end).subarray(-tail)), false)}`;
  };
  return { closed, text, truncated: () => total > most, destroy: () => void stream?.destroy() };
}

/** The last character of a truncated text may be incomplete: `cut` drops its bytes. */
function decode(bytes: Buffer, cut: boolean): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: cut });
}

/** Drops the rest of a character that was split at the beginning (at most three bytes). */
function fromCharacter(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
