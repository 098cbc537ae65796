/** What one destination still has to get: events that wait in the shared queue, and frames made of earlier ones. */
import type { WrittenFrames } from "./wire-frames.ts";
import type { QueuedEvent } from "./queued-event.ts";

/** Maximum number of events that wait for a destination, including those being sent (seed 002). */
export const MOST_WAITING = 1024;

/** Frames as JSON, with commas between them; one frame each where there are several destinations. */
export interface MadeFrames {
  readonly text: string;
  readonly frames: number;
  readonly bytes: number;
  /** The events of the frames. */
  readonly events: readonly QueuedEvent[];
}

/** What an outlet reads from its queue. */
interface Backlog {
  /** The number of the oldest event that waits. */
  readonly first: number;
  /** The number that the next event gets. */
  readonly end: number;
  /** Events that wait elsewhere for later ones. */
  readonly aside: number;
}

export class Outlet {
  readonly #queue: Backlog;
  /** Number of events in the queue for this destination; the queue counts them. */
  backlog = 0;
  #frames: MadeFrames[] = [];
  #made = 0;
  #sending = 0;
  #dropped = 0;
  /** Events before this one are not for this destination. */
  readonly #from: number;
  /** Events of the queue that were dropped while others may need them: from this number to before the other one. */
  #skippedFrom: number;
  #skippedTo: number;
  /** Events that came while nobody was there, as far as the queue may still have some; the last may be endless. */
  #gaps: (readonly [start: number, end: number])[] = [];
  #isPaused = false;
  #isClosed = false;

  constructor(queue: Backlog) {
    this.#queue = queue;
    this.#from = queue.end;
    this.#skippedFrom = queue.end;
    this.#skippedTo = queue.end;
  }

  /** True while it gets new events. */
  get isOpen(): boolean {
    return !this.#isClosed && !this.#isPaused;
  }

  /** Number of events that can be taken, or made into frames. */
  get waiting(): number {
    return this.#isClosed ? 0 : this.#made + this.backlog;
  }

  /** Number of events that are waiting, set aside or being sent. */
  get held(): number {
    return this.#isClosed ? 0 : this.waiting + this.#sending + this.#queue.aside;
  }

  /** Number of all events dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** New events are for this destination from now on. */
  open(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const [start] = this.#gaps.pop()!;
    this.#gaps.push([start, this.#queue.end]);
  }

  /** New events are not for this destination; those that wait still are. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#gaps = this.#gaps.filter(([, end]) => end > this.#queue.first);
    this.#gaps.push([this.#queue.end, Number.POSITIVE_INFINITY]);
  }

  /** Drops all events, and takes no more. */
  close(): void {
    this.#dropped += this.held;
    this.#isClosed = true;
    this.#frames = [];
    this.backlog = 0;
  }

  /** True when one more event has a place. */
  get hasRoom(): boolean {
    return this.#made + this.backlog + this.#sending < MOST_WAITING;
  }

  /** Counts an event that was added to the queue for this destination. */
  count(): void {
    this.backlog++;
  }

  /** Drops the oldest frame, if there is one. */
  dropFrame(): boolean {
    if (this.#made === 0) return false;
    const oldest = this.#frames.shift()!;
    this.#made -= oldest.frames;
    this.#dropped += oldest.frames;
    return true;
  }

  /** Drops the oldest event in the queue for this destination only. */
  dropEvent(): void {
    const first = this.#oldest();
    if (this.#skippedTo < this.#queue.first) this.#skippedFrom = first;
    this.#skippedTo = first + 1;
    this.forget();
  }

  /** True when the event of this number is for this destination. */
  isFor(number: number): boolean {
    if (this.#isClosed || number < this.#from) return false;
    if (number >= this.#skippedFrom && number < this.#skippedTo) return false;
    return this.#gaps.length === 0 || !this.#isInGap(number);
  }

  /** Counts an event of the queue as dropped. */
  forget(): void {
    this.backlog--;
    this.#dropped++;
  }

  /** Adds the frames made of `taken` events. Those without a frame are lost; all are when there are no frames. */
  add(taken: readonly QueuedEvent[], written: WrittenFrames | null): void {
    const mine = (events: readonly QueuedEvent[]) => events.filter(({ number }) => this.isFor(number));
    const owed = mine(taken).length;
    const made = this.#made;
    if (written?.texts === null) this.#push(written);
    for (const [index, text] of (written?.texts ?? []).entries()) {
      const event = written!.events[index]!;
      if (this.isFor(event.number)) this.#push({ text, frames: 1, bytes: Buffer.byteLength(text), events: [event] });
    }
    this.#dropped += owed - (this.#made - made);
  }

  /** Takes made frames, about as many as given. They are counted until {@link release} or {@link putBack}. */
  take(most: { readonly frames: number; readonly bytes: number }): readonly MadeFrames[] {
    let [count, frames, bytes] = [0, 0, 0];
    for (const made of this.#frames) {
      if (count > 0 && (frames + made.frames > most.frames || bytes >= most.bytes)) break;
      count++;
      frames += made.frames;
      bytes += made.bytes;
    }
    this.#made -= frames;
    this.#sending += frames;
    return this.#frames.splice(0, count);
  }

  /** Counts taken frames no longer; `lost` of them never arrived. */
  release(frames: number, lost = 0): void {
    if (this.#isClosed) return;
    this.#sending -= frames;
    this.#dropped += lost;
  }

  /** Puts taken frames back, before those that wait. */
  putBack(frames: readonly MadeFrames[]): void {
    if (this.#isClosed) return;
    const count = frames.reduce((sum, made) => sum + made.frames, 0);
    this.#sending -= count;
    this.#made += count;
    this.#frames.unshift(...frames);
  }

  #push(made: MadeFrames): void {
    if (made.frames === 0) return;
    this.#frames.push(made);
    this.#made += made.frames;
  }

  #isInGap(number: number): boolean {
    return this.#gaps.some((gap) => isIn(number, gap));
  }

  /** The number of the oldest event in the queue that is for this destination. */
  #oldest(): number {
    let first = Math.max(this.#queue.first, this.#skippedTo);
    for (const gap of this.#gaps) if (isIn(first, gap)) [, first] = gap;
    return first;
  }
}

function isIn(number: number, [start, end]: readonly [number, number]): boolean {
  return number >= start && number < end;
}
