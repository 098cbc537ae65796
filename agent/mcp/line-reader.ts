/** Splits a stream of bytes into lines of bounded length, without copying what is already there for each piece. */

const NEWLINE = 0x0a;

export interface LineReaderOptions {
  /** In bytes. A line that grows longer calls `onOverflow` and is dropped with all that follows. */
  readonly longest: number;
  /** Takes a line without its newline. Invalid UTF-8 becomes U+FFFD. */
  readonly onLine: (line: string) => void;
  readonly onOverflow: () => void;
}

/** Creates what takes the pieces of the stream. */
export function readLines({ longest, onLine, onOverflow }: LineReaderOptions): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let size = 0;
  let overflowed = false;

  function finish(piece: Buffer): void {
    const line = pieces.length === 0 ? piece : Buffer.concat([...pieces, piece]);
    pieces = [];
    size = 0;
    onLine(line.toString("utf8").replace(/\r$/, ""));
  }

  return (chunk) => {
    let rest = chunk;
    while (!overflowed) {
      const end = rest.indexOf(NEWLINE);
      size += end === -1 ? rest.length : end;
      if (size > longest) {
        overflowed = true;
        pieces = [];
        return onOverflow();
      }
      if (end === -1) {
        if (rest.length > 0) pieces.push(rest);
        return;
      }
      finish(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
  };
}
