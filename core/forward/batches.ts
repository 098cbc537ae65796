/** What is sent at once: parcels of frames, filled from the queue, and what an answer makes of them. */
import { Deltas } from "./delta-buffer.ts";
import { objectOf, type LinkAnswer } from "./connection.ts";
import { writeFrames, type FrameOptions, type WrittenFrames } from "./wire-frames.ts";
import type { ForwardQueue, QueuedEvent } from "./queue.ts";

/** A batch holds at most so many frames (CONTRACT §9). */
export const MOST_FRAMES = 256;
/** A batch holds at most 1 MiB; with one more frame, this is still less. */
const ENOUGH_BYTES = 512 * 1024;
/** So much is written down before the rest of the program gets its turn: one to two milliseconds' work. */
const SLICE_CHARACTERS = 64 * 1024;
/** How often a parcel is sent whose fate is not known, before it counts as lost. */
const MOST_ATTEMPTS = 3;

/** Frames that are sent and answered together. */
export interface Parcel {
  /** JSON of the frames, with commas between them. */
  readonly text: string;
  readonly frames: number;
  /** How often it was sent without a word on what became of it. */
  attempts: number;
}

/** What becomes of a parcel. `lost` of its frames never arrive; the rest has arrived. */
export type Verdict =
  | { readonly kind: "settled"; readonly lost: number }
  /** The dashboard takes less at a time. */
  | { readonly kind: "split" }
  /** The dashboard is an older one, that takes one frame at a time. */
  | { readonly kind: "singles" }
  /** The token is not, or no longer, the right one. Nothing was taken. */
  | { readonly kind: "locked" }
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
export class Parcels {
  readonly #options: ParcelOptions;
  readonly #deltas: Deltas;
  #parcels: Parcel[] = [];
  #most = MOST_FRAMES;
  #ending = false;
  #closed = false;

  constructor(options: ParcelOptions) {
    this.#options = options;
    this.#deltas = new Deltas(options);
  }

  /** True while something that was taken out of the queue has not been settled. */
  get pending(): boolean {
    return this.#parcels.length > 0;
  }

  /** The parcel to send next, which may have been sent before; undefined when there is nothing to send. */
  async next(): Promise<Parcel | undefined> {
    if (this.#parcels.length === 0) await this.#fill();
    return this.#parcels[0];
  }

  /** Makes the parcel after the next one. */
  async prepare(): Promise<void> {
    if (this.#parcels.length < 2) await this.#fill();
  }

  /** Takes note of what became of the first parcel. */
  settle(verdict: Verdict): void {
    const [parcel, ...others] = this.#parcels;
    if (parcel === undefined) return;
    const { frames } = parcel;
    switch (verdict.kind) {
      case "settled": {
        // Back up after a frame that was too large by itself.
        this.#most = Math.min(2 * this.#most, MOST_FRAMES);
        return this.#finish(others, frames, verdict.lost);
      }
      case "singles":
        return this.#replace(split(parcel, 1), others);
      case "split": {
        this.#most = Math.max(1, frames >> 1);
        return frames === 1 ? this.#finish(others, 1, 1) : this.#replace(split(parcel, this.#most), others);
      }
      case "locked":
        return;
      case "failed":
        if (++parcel.attempts >= MOST_ATTEMPTS) this.#finish(others, frames, frames);
    }
  }

  /** A new dashboard may take what the old one did not. */
  startOver(): void {
    this.#most = MOST_FRAMES;
    for (const parcel of this.#parcels) parcel.attempts = 0;
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#ending = true;
  }

  /** Gives everything up that is under way, for good. */
  close(): void {
    this.#closed = true;
    const { queue } = this.#options;
    for (const { frames } of this.#parcels.splice(0)) queue.release(frames, frames);
    const held = this.#deltas.clear();
    queue.release(held, held);
  }

  #finish(others: Parcel[], frames: number, lost: number): void {
    this.#options.queue.release(frames, lost);
    this.#parcels = others;
  }

  #replace(parts: readonly Parcel[], others: readonly Parcel[]): void {
    this.#parcels = [...parts, ...others];
  }

  /** Fills a parcel with what waits, a slice at a time. */
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
    else if (frames > 0) this.#parcels.push({ text: slices.join(","), frames, attempts: 0 });
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

function split({ text }: Parcel, size: number): Parcel[] {
  const frames = JSON.parse(`[${text}]`) as readonly unknown[];
  return Array.from({ length: Math.ceil(frames.length / size) }, (_, index) => {
    const part = frames.slice(index * size, (index + 1) * size);
    return { text: JSON.stringify(part).slice(1, -1), frames: part.length, attempts: 0 };
  });
}

/** The body of a request that sends these frames. */
export function bodyOf({ text }: Parcel, singles: boolean): string {
  return singles ? text : `[${text}]`;
}

/** What the dashboard's answer makes of the frames that were sent. */
export function judgeAnswer({ status, body }: LinkAnswer, frames: number, singles: boolean): Verdict {
  if (status === 401) return { kind: "locked" };
  if (status === 413) return { kind: "split" };
  const answer = objectOf(body);
  if (status === 400) {
    if (singles) return { kind: "settled", lost: 1 };
    return answer?.["accepted"] === undefined ? { kind: "singles" } : { kind: "settled", lost: frames };
  }
  if (status >= 300) return { kind: "failed", problem: `it answered ${status}` };
  // A receiver that says no more than 200 has it; a page of HTML is somebody else's.
  if (body !== "" && (answer === undefined || answer["ok"] === false))
    return { kind: "failed", problem: `it answered ${status} with something else than its JSON` };
  const accepted = answer?.["accepted"];
  const taken = typeof accepted === "number" && accepted >= 0 ? Math.min(Math.floor(accepted), frames) : frames;
  return { kind: "settled", lost: frames - taken };
}
