/**
 * Sends what an attempt prints to the database, several times a second, and keeps its beginning and its end within the
 * same limits as the files have (`daemon/tasks/output.ts`).
 */
import { setTimeout as pause } from "node:timers/promises";
import type { OutputWriter } from "#core/ports/outputs";
import { OUTPUT_LIMITS, truncatedLine } from "#daemon/tasks/output";

/** The rows of one attempt. Every method rejects while the database is away. */
export interface OutputRows {
  /** Removes what is there of earlier runs. */
  clear(): Promise<void>;
  /** Adds, replaces and removes rows in one transaction; gives the numbers of the added ones, none when it is over. */
  change(change: RowChange): Promise<readonly number[] | undefined>;
}

export interface RowChange {
  readonly add: readonly string[];
  readonly set?: { readonly number: number; readonly lines: string } | undefined;
  readonly remove: readonly number[];
}

interface Limits {
  readonly beginning: number;
  readonly end: number;
}

interface Row {
  readonly number: number;
  readonly bytes: number;
}

const FLUSH_MS = 200;
const RETRY_MS = 1000;
const LAST_MS = 3000;
/** A row is not much longer. */
const ROW_BYTES = 64 * 1024;

export class OutputUpload implements OutputWriter {
  readonly #rows: OutputRows;
  readonly #limits: { readonly beginning: number; readonly end: number };
  /** Lines with their ends that are not stored yet. */
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** How many of them are being stored now. */
  #inFlight = 0;
  #isCleared = false;
  #isOver = false;
  #beginningBytes = 0;
  /** The row in the place of what was left out; it is added with the first row of the end. */
  #mark: number | undefined;
  #end: Row[] = [];
  #leftOut = 0;
  /** What the mark says. */
  #marked = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(rows: OutputRows, limits: Limits = { ...OUTPUT_LIMITS, end: 2 * OUTPUT_LIMITS.end }) {
    this.#rows = rows;
    this.#limits = limits;
    this.#plan(0);
  }

  add(line: string): void {
    if (this.#isOver) return;
    const text = `${line}\n`;
    this.#waiting.push(text);
    this.#waitingBytes += Buffer.byteLength(text);
    // While the database is away, the memory is kept within the limits, too.
    const most = this.#limits.beginning + this.#limits.end;
    while (this.#waitingBytes > most && this.#waiting.length > this.#inFlight + 1) {
      const [dropped = ""] = this.#waiting.splice(this.#inFlight, 1);
      const bytes = Buffer.byteLength(dropped);
      this.#waitingBytes -= bytes;
      this.#leftOut += bytes;
    }
    this.#plan(FLUSH_MS);
  }

  async close(): Promise<void> {
    const deadline = performance.now() + LAST_MS;
    clearTimeout(this.#timer);
    while (!this.#isOver && (this.#waiting.length > 0 || !this.#isCleared) && performance.now() < deadline) {
      await Promise.race([this.#flush(), pause(deadline - performance.now())]);
      if (this.#waiting.length > 0) await pause(FLUSH_MS);
    }
    this.#isOver = true;
  }

  #plan(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#flush().then(() => {
        if (this.#waiting.length > 0 && !this.#isOver) this.#plan(RETRY_MS);
      });
    }, ms).unref();
  }

  /** Stores what waits; keeps it when the database is away. */
  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(async () => {
      try {
        if (!this.#isCleared) await this.#rows.clear();
        this.#isCleared = true;
        while (this.#waiting.length > 0 && !this.#isOver) await this.#storeNext();
      } catch {
        // It is tried again; the files have it all the same.
      }
    });
    return this.#flushing;
  }

  async #storeNext(): Promise<void> {
    const taken = this.#take();
    const text = taken.join("");
    const bytes = Buffer.byteLength(text);
    this.#inFlight = taken.length;
    try {
      if (!(await this.#storeRow(text, bytes))) this.#isOver = true;
    } finally {
      this.#inFlight = 0;
    }
    this.#waiting.splice(0, taken.length);
    this.#waitingBytes -= bytes;
  }

  /** False when the attempt is over. */
  async #storeRow(text: string, bytes: number): Promise<boolean> {
    if (this.#mark === undefined && this.#beginningBytes + bytes <= this.#limits.beginning) {
      const numbers = await this.#rows.change({ add: [text], remove: [] });
      this.#beginningBytes += bytes;
      return numbers !== undefined;
    }
    const removed = this.#tooMuch(bytes);
    const removedBytes = removed.reduce((sum, row) => sum + row.bytes, 0);
    const leftOut = this.#leftOut + removedBytes;
    const lines = leftOut === 0 ? "" : truncatedLine(leftOut);
    const mark = this.#mark;
    const numbers = await this.#rows.change({
      add: mark === undefined ? [lines, text] : [text],
      set: mark === undefined || leftOut === this.#marked ? undefined : { number: mark, lines },
      remove: removed.map(({ number }) => number),
    });
    if (numbers === undefined) return false;
    this.#mark ??= numbers[0];
    this.#marked = leftOut;
    // More may have been dropped meanwhile.
    this.#leftOut += removedBytes;
    this.#end = [...this.#end.slice(removed.length), { number: numbers.at(-1)!, bytes }];
    return true;
  }

  /** The first lines that wait, as many as a row takes. */
  #take(): readonly string[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((line) => (bytes += Buffer.byteLength(line)) > ROW_BYTES);
    return this.#waiting.slice(0, end === -1 ? undefined : Math.max(end, 1));
  }

  /** The oldest rows of the end, which have to go for so many bytes more. */
  #tooMuch(bytes: number): readonly Row[] {
    let kept = this.#end.reduce((sum, row) => sum + row.bytes, bytes);
    const first = this.#end.findIndex((row) => {
      if (kept <= this.#limits.end) return true;
      kept -= row.bytes;
      return false;
    });
    return first === -1 ? this.#end : this.#end.slice(0, first);
  }
}
