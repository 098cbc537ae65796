/** What is sent at once: batches of frames, filled from the queue, and what an answer makes of them. */
import { DeltaBuffer } from "./delta-buffer.ts";
import { objectOf, type ConnectionAnswer } from "./connection.ts";
import { writeFrames, type FrameOptions, type WrittenFrames } from "./wire-frames.ts";
import type { ForwardQueue, QueuedEvent } from "./queue.ts";

/** A batch holds at most so many frames (CONTRACT §9). */
export const MOST_FRAMES = 256;
/** A batch holds at most 1 MiB; with one more frame, this is still less. */
const ENOUGH_BYTES = 512 * 1024;
/** So much is written down before the rest of the program gets its turn: one to two milliseconds' work. */
const SLICE_CHARACTERS = 64 * 1024;
/** How often a batch is sent whose fate is not known, before it counts as lost. */
const MOST_ATTEMPTS = 3;

/** Frames that are sent and answered together. */
export interface Batch {
  /** JSON of the frames, with commas between them. */
  readonly text: string;
  readonly frames: number;
  /** How often it was sent without a word on what became of it. */
  attempts: number;
}

/** What becomes of a batch. `lost` of its frames never arrive; the rest has arrived. */
export type PostResult =
  | { readonly kind: "settled"; readonly lost: number }
  /** The dashboard takes less at a time. */
  | { readonly kind: "split" }
  /** The dashboard is an older one, that takes one frame at a time. */
  | { readonly kind: "unbatched" }
  /** The token is not, or no longer, the right one. Nothing was taken. */
  | { readonly kind: "unauthorized" }
  | { readonly kind: "failed"; readonly problem: string };

export interface ParcelOptions extends FrameOptions {
  readonly queue: ForwardQueue;
  readonly settledLength: (text: string) => number;
  /** Told of a problem that is not the dashboard's. */
  readonly onError: (error: unknown) => void;
  /** Called when something that waited for what came after it waits no longer. */
  readonly onReady: () => void;
}

/** Parcels under way, the oldest first. Their frames keep their places in the queue's count until they are settled. */
export class Batches {
  readonly #options: ParcelOptions;
  readonly #deltas: DeltaBuffer;
  #batches: Batch[] = [];
  #most = MOST_FRAMES;
  #ending = false;
  #closed = false;

  constructor(options: ParcelOptions) {
    this.#options = options;
    this.#deltas = new DeltaBuffer(options);
  }

  /** True while something that was taken out of the queue has not been settled. */
  get pending(): boolean {
    return this.#batches.length > 0;
  }

  /** The batch to send next, which may have been sent before; undefined when there is nothing to send. */
  async next(): Promise<Batch | undefined> {
    if (this.#batches.length === 0) await this.#fill();
    return this.#batches[0];
  }

  /** Makes the batch after the next one. */
  async prepare(): Promise<void> {
    if (this.#batches.length < 2) await this.#fill();
  }

  /** Takes note of what became of the first batch. */
  settle(verdict: PostResult): void {
    const [batch, ...others] = this.#batches;
    if (batch === undefined) return;
    const { frames } = batch;
    switch (verdict.kind) {
      case "settled": {
        // Back up after a frame that was too large by itself.
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

  /** A new dashboard may take what the old one did not. */
  startOver(): void {
    this.#most = MOST_FRAMES;
    for (const batch of this.#batches) batch.attempts = 0;
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#ending = true;
  }

  /** Gives everything up that is under way, for good. */
  close(): void {
    this.#closed = true;
    const { queue } = this.#options;
    for (const { frames } of this.#batches.splice(0)) queue.release(frames, frames);
    const held = this.#deltas.clear();
    queue.release(held, held);
  }

  #finish(others: Batch[], frames: number, lost: number): void {
    this.#options.queue.release(frames, lost);
    this.#batches = others;
  }

  #replace(parts: readonly Batch[], others: readonly Batch[]): void {
    this.#batches = [...parts, ...others];
  }

  /** Fills a batch with what waits, a slice at a time. */
  async #fill(): Promise<void> {
    const { queue } = this.#options;
    const slices: string[] = [];
    let frames = 0;
    let bytes = 0;
    while (frames < this.#most && bytes < ENOUGH_BYTES && this.#hasMore()) {
      if (frames > 0) await new Promise((resume) => setImmediate(resume));
      const slice = this.#write(this.#most - frames);
      if (slice.frames > 0) slices.push(slice.text);
      frames += slice.frames;
      bytes += slice.bytes;
    }
    if (this.#closed) queue.release(frames, frames);
    else if (frames > 0) this.#batches.push({ text: slices.join(","), frames, attempts: 0 });
  }

  #hasMore(): boolean {
    const { queue } = this.#options;
    return queue.waiting > 0 || this.#deltas.ready > 0 || (this.#ending && this.#deltas.holding);
  }

  /** The next event that may leave now. */
  #take(): QueuedEvent | undefined {
    const deltas = this.#deltas;
    for (;;) {
      if (deltas.ready > 0) return deltas.take();
      const event = this.#options.queue.take();
      if (event !== undefined) {
        const passed = deltas.pass(event);
        if (passed !== undefined) return passed;
      } else if (this.#ending && deltas.holding) deltas.letGo();
      else return undefined;
    }
  }

  #write(frames: number): Pick<WrittenFrames, "text" | "frames" | "bytes"> {
    const { queue, onError } = this.#options;
    let taken = 0;
    const take = () => {
      const event = this.#take();
      if (event !== undefined) taken++;
      return event;
    };
    try {
      const written = writeFrames(take, { frames, characters: SLICE_CHARACTERS }, this.#options);
      queue.release(written.lost, written.lost);
      return written;
    } catch (error) {
      // The redactor failed: better no event than one with a secret.
      queue.release(taken, taken);
      onError(error);
      return { text: "", frames: 0, bytes: 0 };
    }
  }
}

function split({ text }: Batch, size: number): Batch[] {
  const frames = JSON.parse(`[${text}]`) as readonly unknown[];
  return Array.from({ length: Math.ceil(frames.length / size) }, (_, index) => {
    const part = frames.slice(index * size, (index + 1) * size);
    return { text: JSON.stringify(part).slice(1, -1), frames: part.length, attempts: 0 };
  });
}

/** The body of a request that sends these frames. */
export function bodyOf({ text }: Batch, unbatched: boolean): string {
  return unbatched ? text : `[${text}]`;
}

/** What the dashboard's answer makes of the frames that were sent. */
export function readAnswer({ status, body }: ConnectionAnswer, frames: number, unbatched: boolean): PostResult {
  if (status === 401) return { kind: "unauthorized" };
  if (status === 413) return { kind: "split" };
  const answer = objectOf(body);
  if (status === 400) {
    if (unbatched) return { kind: "settled", lost: 1 };
    return answer?.["accepted"] === undefined ? { kind: "unbatched" } : { kind: "settled", lost: frames };
  }
  if (status >= 300) return { kind: "failed", problem: `it answered ${status}` };
  // A receiver that says no more than 200 has it; a page of HTML is somebody else's.
  if (body !== "" && (answer === undefined || answer["ok"] === false))
    return { kind: "failed", problem: `it answered ${status} with something else than its JSON` };
  const accepted = answer?.["accepted"];
  const taken = typeof accepted === "number" && accepted >= 0 ? Math.min(Math.floor(accepted), frames) : frames;
  return { kind: "settled", lost: frames - taken };
}
