/** Splits a stream of bytes into lines of a bounded length. */

const NEWLINE = 10;

export interface LineOptions {
  /** Of a line without its newline. */
  readonly mostBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once, for a line that is longer; what follows is ignored. */
  readonly onTooLong: () => void;
}

export class LineSplitter {
  readonly #options: LineOptions;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #isClosed = false;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (!this.#isClosed) {
      const end = rest.indexOf(NEWLINE);
      const part = end === -1 ? rest : rest.subarray(0, end);
      this.#bytes += part.length;
      if (this.#bytes > this.#options.mostBytes) return this.#refuse();
      this.#parts.push(part);
      if (end === -1) return;
      const line = Buffer.concat(this.#parts).toString("utf8");
      this.#parts = [];
      this.#bytes = 0;
      this.#options.onLine(line);
      rest = rest.subarray(end + 1);
    }
  }

  #refuse(): void {
    this.#isClosed = true;
    this.#parts = [];
    this.#options.onTooLong();
  }
}
