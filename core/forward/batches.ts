/** Batches of frames: fills them, and handles the dashboard's answer. */
import { objectOf, type ConnectionAnswer } from "./connection.ts";
import type { FrameSource } from "./frame-source.ts";
import type { MadeFrames, Outlet } from "./outlet.ts";

/** Maximum number of frames in a batch (CONTRACT §9). */
export const MOST_FRAMES = 256;
/** A batch may have at most 1 MiB; this leaves room for one more frame. */
const ENOUGH_BYTES = 512 * 1024;
/** How often a batch with an unknown outcome is sent before it is considered lost. */
const MOST_ATTEMPTS = 3;

/** Frames that are sent together. */
export interface Batch {
  /** JSON of the frames, with commas between them. */
  readonly text: string;
  readonly frames: number;
  /** The numbers of its events. */
  readonly numbers: readonly number[];
  /** How often it was sent without an answer. */
  attempts: number;
}

/** The outcome of a batch. `lost` of its frames never arrive; the rest has arrived. */
export type PostResult =
  | { readonly kind: "settled"; readonly lost: number }
  /** The dashboard only accepts smaller batches. */
  | { readonly kind: "split" }
  /** An older dashboard that accepts one frame at a time. */
  | { readonly kind: "unbatched" }
  /** The token is wrong or no longer valid. Nothing was accepted. */
  | { readonly kind: "unauthorized" }
  | { readonly kind: "failed"; readonly problem: string };

export interface BatchesOptions {
  readonly outlet: Outlet;
  readonly source: FrameSource;
}

/** Pending batches, oldest first. Their frames count as part of the queue until they are settled. */
export class Batches {
  readonly #options: BatchesOptions;
  #batches: Batch[] = [];
  #most = MOST_FRAMES;
  #isClosed = false;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** True while events taken from the queue have not been settled. */
  get pending(): boolean {
    return this.#batches.length > 0;
  }

  /** The next batch to send, which may have been sent before; undefined when there is nothing to send. */
  async next(): Promise<Batch | undefined> {
    if (this.#batches.length === 0) await this.#fill();
    return this.#batches[0];
  }

  /** Creates the batch after the next one. */
  async prepare(): Promise<void> {
    if (this.#batches.length < 2) await this.#fill();
  }

  /** Records the outcome of the first batch. */
  settle(verdict: PostResult): void {
    const [batch, ...others] = this.#batches;
    if (batch === undefined) return;
    const { frames } = batch;
    switch (verdict.kind) {
      case "settled": {
        // Increase the limit again after a single frame that was too large.
        this.#most = Math.min(2 * this.#most, MOST_FRAMES);
        return this.#finish(others, frames, verdict.lost);
      }
      case "unbatched":
        return this.#replace(split(batch, 1), others);
      case "split": {
        this.#most = Math.max(1, frames >> 1);
        return frames === 1 ? this.#finish(others, 1, 1) : this.#replace(split(batch, this.#most), others);
      }
      case "unauthorized":
        return;
      case "failed":
        if (++batch.attempts >= MOST_ATTEMPTS) this.#finish(others, frames, frames);
    }
  }

  /** A new dashboard may accept what the old one did not. */
  startOver(): void {
    this.#most = MOST_FRAMES;
    for (const batch of this.#batches) batch.attempts = 0;
  }

  /** Forgets everything that is pending. */
  close(): void {
    this.#isClosed = true;
    this.#batches = [];
  }

  #finish(others: Batch[], frames: number, lost: number): void {
    this.#options.outlet.release(frames, lost);
    this.#batches = others;
  }

  #replace(parts: readonly Batch[], others: readonly Batch[]): void {
    this.#batches = [...parts, ...others];
  }

  /** Fills a batch with frames, a slice at a time. */
  async #fill(): Promise<void> {
    const { outlet, source } = this.#options;
    const parts: MadeFrames[] = [];
    let [frames, bytes] = [0, 0];
    while (frames < this.#most && bytes < ENOUGH_BYTES && source.hasMore(outlet)) {
      if (frames > 0) await new Promise((resume) => setImmediate(resume));
      for (const part of source.pull(outlet, this.#most - frames)) {
        parts.push(part);
        frames += part.frames;
        bytes += part.bytes;
      }
    }
    if (frames === 0 || this.#isClosed) return;
    const text = parts.map((part) => part.text).join(",");
    const numbers = parts.flatMap(({ events }) => events.map(({ number }) => number));
    this.#batches.push({ text, frames, numbers, attempts: 0 });
  }
}

function split({ text, numbers }: Batch, size: number): Batch[] {
  const frames = JSON.parse(`[${text}]`) as readonly unknown[];
  return Array.from({ length: Math.ceil(frames.length / size) }, (_, index) => {
    const part = frames.slice(index * size, (index + 1) * size);
    const from = index * size;
    return {
      text: JSON.stringify(part).slice(1, -1),
      frames: part.length,
      numbers: numbers.slice(from, from + size),
      attempts: 0,
    };
  });
}

/** The body of a request that sends these frames. */
export function bodyOf({ text }: Batch, unbatched: boolean): string {
  return unbatched ? text : `[${text}]`;
}

/** The outcome of the sent frames by the dashboard's answer. */
export function readPostResult({ status, body }: ConnectionAnswer, frames: number, unbatched: boolean): PostResult {
  if (status === 401) return { kind: "unauthorized" };
  if (status === 413) return { kind: "split" };
  const answer = objectOf(body);
  if (status === 400) {
    if (unbatched) return { kind: "settled", lost: 1 };
    return answer?.["accepted"] === undefined ? { kind: "unbatched" } : { kind: "settled", lost: frames };
  }
  if (status >= 300) return { kind: "failed", problem: `it answered ${status}` };
  // A 200 without a body means accepted; an HTML page comes from something else.
  if (body !== "" && (answer === undefined || answer["ok"] === false))
    return { kind: "failed", problem: `it answered ${status} without the expected JSON` };
  const accepted = answer?.["accepted"];
  const taken = typeof accepted === "number" && accepted >= 0 ? Math.min(Math.floor(accepted), frames) : frames;
  return { kind: "settled", lost: frames - taken };
}
