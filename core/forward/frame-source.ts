/**
 * Makes frames of the queued events, once for all destinations, as soon as the first of them wants more: without
 * secrets, in the order in which they can be sent.
 */
import { DeltaBuffer } from "./delta-buffer.ts";
import type { MadeFrames, Outlet } from "./outlet.ts";
import type { ForwardQueue } from "./queue.ts";
import type { QueuedEvent } from "./queued-event.ts";
import { writeFrames, type FrameOptions, type WrittenFrames } from "./wire-frames.ts";
import type { Redactor } from "#core/home/redact";

/** How much is serialised before yielding to the rest of the program: one to two milliseconds of work. */
const SLICE_CHARACTERS = 64 * 1024;

export interface FrameSourceOptions extends FrameOptions {
  readonly queue: ForwardQueue;
  readonly unfinished: Redactor["unfinished"];
  /** Called when events cannot be written, which is no destination's fault. */
  readonly onError: (error: unknown) => void;
  /** Called when an event that waited for a later one can be sent. */
  readonly onReady: () => void;
}

export class FrameSource {
  readonly #options: FrameSourceOptions;
  readonly #deltas: DeltaBuffer;
  #isEnding = false;

  constructor(options: FrameSourceOptions) {
    this.#options = options;
    this.#deltas = new DeltaBuffer(options);
  }

  /** True when there are frames for this destination, or events to make some of. */
  hasMore(outlet: Outlet): boolean {
    return outlet.waiting > 0 || this.#deltas.ready > 0 || (this.#isEnding && this.#deltas.held > 0);
  }

  /** The next frames for this destination: at most so many, and a slice of work. */
  pull(outlet: Outlet, frames: number): readonly MadeFrames[] {
    const most = { frames, bytes: SLICE_CHARACTERS };
    const made = outlet.take(most);
    if (made.length > 0) return made;
    this.#write(frames);
    return outlet.take(most);
  }

  /** Announces that there are no more events. */
  end(): void {
    this.#isEnding = true;
  }

  /** Drops what waits for later events. */
  close(): void {
    this.#deltas.clear();
    this.#options.queue.setAside(0);
  }

  #write(frames: number): void {
    const { queue, onError } = this.#options;
    const { outlets } = queue;
    const taken: QueuedEvent[] = [];
    const take = () => {
      const event = this.#take();
      if (event !== undefined) taken.push(event);
      return event;
    };
    let written: WrittenFrames | null = null;
    try {
      const most = { frames, characters: SLICE_CHARACTERS };
      written = writeFrames(take, most, { ...this.#options, isSeparate: outlets.length > 1 });
    } catch (error) {
      // The redactor failed: drop the event instead of sending a secret.
      onError(error);
    }
    for (const outlet of outlets) outlet.add(taken, written);
  }

  /** The next event that can be sent now. Those that the buffer keeps leave room in the queue for others. */
  #take(): QueuedEvent | undefined {
    try {
      return this.#takeNext();
    } finally {
      this.#options.queue.setAside(this.#deltas.held + this.#deltas.ready);
    }
  }

  #takeNext(): QueuedEvent | undefined {
    const deltas = this.#deltas;
    for (;;) {
      if (deltas.ready > 0) return deltas.take();
      const event = this.#options.queue.take();
      if (event !== undefined) {
        const passed = deltas.pass(event);
        if (passed !== undefined) return passed;
      } else if (this.#isEnding && deltas.held > 0) deltas.end();
      else return undefined;
    }
  }
}
