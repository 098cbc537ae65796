/** The last events in memory, for streams and the page. `store.ts` keeps them across restarts. */
import { BoundedMap } from "#core/bounded-map";

/** An event as it is kept and shown. */
export interface KeptEvent {
  readonly seq: number;
  /** When the dashboard received it, or the stream that it comes from, ISO-8601. */
  readonly at: string;
  readonly src: string;
  readonly event_type: string;
  /** The context as JSON. */
  readonly context: string;
  /** Identifies an event that may arrive twice, from its sender and from a stream. */
  readonly id: string | null;
}

/** How many events are kept (`state.db` too). */
export const MOST_EVENTS = 10_000;
/** The total size of their contexts, in characters, so that a few big ones cannot fill the memory. */
const MOST_CHARACTERS = 64 * 1024 * 1024;
/** How many IDs are remembered: those of the kept events, and many more. */
const MOST_IDS = 65_536;

/** An event in the format of the stream and the history. */
export function toJson({ seq, at, src, event_type, context }: KeptEvent): string {
  return `{"seq":${seq},"at":"${at}","src":${JSON.stringify(src)},"event_type":${JSON.stringify(event_type)},"context":${context}}`;
}

export class History {
  readonly #events: (KeptEvent | undefined)[] = [];
  /** The index of the oldest kept event. */
  #first = 0;
  #characters = 0;
  #last = 0;
  readonly #ids = new BoundedMap<string, true>(MOST_IDS);

  /** The number of the newest event, 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The oldest event that is still kept, or null. */
  get oldest(): number | null {
    return this.#events[this.#first]?.seq ?? null;
  }

  /** True for an event that has been added already. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Adds an event, whose number must be the greatest so far. Drops the oldest events when there are too many. */
  push(event: KeptEvent): void {
    this.#events.push(event);
    this.#last = event.seq;
    if (event.id !== null) this.#ids.set(event.id, true);
    this.#characters += event.context.length;
    while (this.#events.length - this.#first > MOST_EVENTS || this.#characters > MOST_CHARACTERS) this.#dropOldest();
  }

  /** The events after number `seq`, oldest first, at most this many. */
  after(seq: number, limit: number): readonly KeptEvent[] {
    const start = this.#indexAfter(seq);
    return this.#events.slice(start, start + limit) as KeptEvent[];
  }

  /** The last events before number `seq`, oldest first, at most this many. */
  before(seq: number, limit: number): readonly KeptEvent[] {
    const end = this.#indexAfter(seq - 1);
    return this.#events.slice(Math.max(this.#first, end - limit), end) as KeptEvent[];
  }

  /** The number after which exactly the given number of events follow. */
  startOfLast(count: number): number {
    if (count === 0) return this.#last;
    const first = this.#events[Math.max(this.#first, this.#events.length - count)];
    return first === undefined ? this.#last : first.seq - 1;
  }

  #dropOldest(): void {
    this.#characters -= this.#events[this.#first]!.context.length;
    this.#events[this.#first++] = undefined;
    // Compacted only now and then: each event is moved once on average.
    if (this.#first < MOST_EVENTS) return;
    this.#events.splice(0, this.#first);
    this.#first = 0;
  }

  /** The index of the first kept event with a greater number; the list's length when there is none. */
  #indexAfter(seq: number): number {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
