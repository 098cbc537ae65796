/** What waits to be sent: a ring of a fixed size that drops the oldest event when it is full. */
import type { EventContext } from "#core/registry";

/** How many events may wait, those being sent included (seed 002). */
export const MOST_WAITING = 1024;
const MASK = MOST_WAITING - 1;

/** An event as it was emitted. The context is held, not copied: who emits hands it over. */
export interface QueuedEvent {
  readonly event_type: string;
  readonly context: EventContext;
}

export class ForwardQueue {
  readonly #events = Array.from<string>({ length: MOST_WAITING }).fill("");
  readonly #contexts = Array.from<EventContext | null>({ length: MOST_WAITING }).fill(null);
  #first = 0;
  #waiting = 0;
  #reserved = 0;
  #dropped = 0;

  /** Events that wait to be taken. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Events that wait or are being sent. */
  get held(): number {
    return this.#waiting + this.#reserved;
  }

  /** All that were dropped so far, here or by who took them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an event; drops the oldest when there is no room. Costs nanoseconds and allocates nothing. */
  push(event_type: string, context: EventContext): void {
    if (this.#waiting >= MOST_WAITING - this.#reserved) this.#dropOldest();
    const place = (this.#first + this.#waiting) & MASK;
    this.#events[place] = event_type;
    this.#contexts[place] = context;
    this.#waiting++;
  }

  /**
   * Takes the oldest event out. It keeps its place in the count until {@link release}, so that what waits and what is
   * being sent are never more than {@link MOST_WAITING} together.
   */
  take(): QueuedEvent | undefined {
    if (this.#waiting === 0) return undefined;
    const event_type = this.#events[this.#first]!;
    const context = this.#contexts[this.#first]!;
    this.#forgetOldest();
    this.#reserved++;
    return { event_type, context };
  }

  /** Gives back the places of events that were taken; `lost` of them never arrived. */
  release(taken: number, lost = 0): void {
    this.#reserved -= taken;
    this.#dropped += lost;
  }

  /** Drops all that wait. */
  clear(): void {
    while (this.#waiting > 0) this.#dropOldest();
  }

  #dropOldest(): void {
    this.#forgetOldest();
    this.#dropped++;
  }

  #forgetOldest(): void {
    this.#events[this.#first] = "";
    this.#contexts[this.#first] = null;
    this.#first = (this.#first + 1) & MASK;
    this.#waiting--;
  }
}
