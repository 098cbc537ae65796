/** The last events, in memory: what streams and the page read. `store.ts` carries them over a restart. */

/** One event as it is kept and shown. */
export interface KeptEvent {
  readonly seq: number;
  /** When the dashboard took it, ISO-8601. */
  readonly at: string;
  readonly src: string;
  readonly event_type: string;
  /** The context as JSON. */
  readonly context: string;
}

/** How many events are kept (`state.db` too). */
export const MOST_EVENTS = 10_000;
/** Contexts of all of them together, in characters: a few big ones must not fill the memory. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** An event as the stream and the history answer it. */
export function toJson({ seq, at, src, event_type, context }: KeptEvent): string {
  return `{"seq":${seq},"at":"${at}","src":${JSON.stringify(src)},"event_type":${JSON.stringify(event_type)},"context":${context}}`;
}

export class History {
  readonly #events: (KeptEvent | undefined)[] = [];
  /** Where the oldest kept event stands in the list. */
  #first = 0;
  #characters = 0;
  #last = 0;

  /** The number of the newest event that ever was, 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The oldest event that is still kept, or null. */
  get oldest(): number | null {
    return this.#events[this.#first]?.seq ?? null;
  }

  /** Adds an event, whose number must be greater than all before. The oldest go where there are too many. */
  push(event: KeptEvent): void {
    this.#events.push(event);
    this.#last = event.seq;
    this.#characters += event.context.length;
    while (this.#events.length - this.#first > MOST_EVENTS || this.#characters > MOST_CHARACTERS) this.#dropOldest();
  }

  /** The events behind number `seq`, oldest first, at most so many. */
  after(seq: number, limit: number): readonly KeptEvent[] {
    const start = this.#indexAfter(seq);
    return this.#events.slice(start, start + limit) as KeptEvent[];
  }

  /** The last events before number `seq`, oldest first, at most so many. */
  before(seq: number, limit: number): readonly KeptEvent[] {
    const end = this.#indexAfter(seq - 1);
    return this.#events.slice(Math.max(this.#first, end - limit), end) as KeptEvent[];
  }

  /** The number behind which exactly the last so many events lie. */
  startOfLast(count: number): number {
    if (count === 0) return this.#last;
    const first = this.#events[Math.max(this.#first, this.#events.length - count)];
    return first === undefined ? this.#last : first.seq - 1;
  }

  #dropOldest(): void {
    this.#characters -= this.#events[this.#first]!.context.length;
    this.#events[this.#first++] = undefined;
    // Moved down only now and then: each event is moved once on average.
    if (this.#first < MOST_EVENTS) return;
    this.#events.splice(0, this.#first);
    this.#first = 0;
  }

  /** Where the first kept event with a greater number stands; the list's end when there is none. */
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
