import type { Readable } from "node:stream";

export interface Output {
  /** Resolves when the pipe is at its end or destroyed. */
  readonly closed: Promise<void>;
  text(): string;
  truncated(): boolean;
  /** Closes our end of the pipe, whoever still holds the other one. */
  destroy(): void;
}

/** Reads a stream to its end and keeps its first `most` bytes; calls `onOverflow` once when there are more. */
export function collectOutput(stream: Readable | null, most: number, onOverflow: () => void): Output {
  const chunks: Buffer[] = [];
  let kept = 0;
  let over = false;
  const { promise: closed, resolve } = Promise.withResolvers<void>();

  stream?.on("data", (chunk: Buffer) => {
    const room = most - kept;
    if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    kept += Math.min(room, chunk.length);
    if (chunk.length <= room || over) return;
    over = true;
    onOverflow();
  });
  // A pipe that breaks while it is read has given all there is; the process's end tells the rest.
  stream?.on("error", () => resolve());
  stream?.once("close", () => resolve());
  if (stream === null) resolve();

  return {
    closed,
    // Of a truncated text the last character may be half there: `stream` leaves its bytes out.
    text: () => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(chunks), { stream: over }),
    truncated: () => over,
    destroy: () => void stream?.destroy(),
  };
}
