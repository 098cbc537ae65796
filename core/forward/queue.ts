/** The queue of events to send: a ring buffer that drops the oldest event when it is full. */
import type { EventContext } from "#core/registry";

/** Maximum number of waiting events, including those being sent (seed 002). */
export const MOST_WAITING = 1024;
const MASK = MOST_WAITING - 1;

/** An emitted event. The context is kept, not copied; the emitter must not change it. */
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
  #aside = 0;
  #dropped = 0;

  /** Number of events waiting to be taken. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Number of events that are waiting, set aside or being sent. */
  get held(): number {
    return this.#waiting + this.#reserved + this.#aside;
  }

  /** Number of all events dropped so far, here or after they were taken. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an event; drops the oldest one when it is full. Takes nanoseconds and allocates nothing. */
  push(event_type: string, context: EventContext): void {
    if (this.#waiting > 0 && this.#waiting >= MOST_WAITING - this.#reserved) this.#dropOldest();
    const place = (this.#first + this.#waiting) & MASK;
    this.#events[place] = event_type;
    this.#contexts[place] = context;
    this.#waiting++;
  }

  /**
   * Takes the oldest event. It is counted until {@link release}, so that waiting and sent events together never exceed
   * {@link MOST_WAITING}.
   */
  take(): QueuedEvent | undefined {
    if (this.#waiting === 0) return undefined;
    const event_type = this.#events[this.#first]!;
    const context = this.#contexts[this.#first]!;
    this.#forgetOldest();
    this.#reserved++;
    return { event_type, context };
  }

  /** Frees the slots of taken events; `lost` of them never arrived. */
  release(taken: number, lost = 0): void {
    this.#reserved -= taken;
    this.#dropped += lost;
  }

  /** Sets how many of the taken events wait elsewhere. They do not take the place of others. */
  setAside(events: number): void {
    this.#reserved += this.#aside - events;
    this.#aside = events;
  }

  /** Drops the events that wait elsewhere. */
  discardAside(): void {
    this.#dropped += this.#aside;
    this.#aside = 0;
  }

  /** Drops all waiting events. */
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
