/**
 * The queue of events to send: a ring buffer that all destinations share. Each of them has an outlet, which drops its
 * oldest events when it has too many.
 */
import type { EventContext } from "#core/registry";
import { MOST_WAITING, Outlet } from "./outlet.ts";
import type { QueuedEvent } from "./queued-event.ts";

const MASK = MOST_WAITING - 1;

export class ForwardQueue {
  readonly #events = Array.from<string>({ length: MOST_WAITING }).fill("");
  readonly #contexts = Array.from<EventContext | null>({ length: MOST_WAITING }).fill(null);
  readonly #outlets: Outlet[] = [];
  #first = 0;
  #end = 0;
  #aside = 0;

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  /** Number of taken events that wait for later ones. They leave room for others. */
  get aside(): number {
    return this.#aside;
  }

  /** Number of events waiting to be taken. */
  get waiting(): number {
    return this.#end - this.#first;
  }

  get outlets(): readonly Outlet[] {
    return this.#outlets;
  }

  /** Adds a destination, which gets the events from now on. */
  addOutlet(): Outlet {
    const outlet = new Outlet(this);
    this.#outlets.push(outlet);
    return outlet;
  }

  /** Removes a destination; its events are dropped. */
  removeOutlet(outlet: Outlet): void {
    outlet.close();
    const index = this.#outlets.indexOf(outlet);
    if (index !== -1) this.#outlets.splice(index, 1);
    this.#forgetUnneeded();
  }

  /** Adds an event; a destination that has too many drops its oldest one. Takes nanoseconds and allocates nothing. */
  push(event_type: string, context: EventContext): void {
    let isNeeded = false;
    for (const outlet of this.#outlets) {
      if (!outlet.isOpen) continue;
      if (!outlet.hasRoom) this.#dropFor(outlet);
      outlet.count();
      isNeeded = true;
    }
    if (!isNeeded) return;
    if (this.waiting >= MOST_WAITING) this.#forgetOldest();
    const place = this.#end & MASK;
    this.#events[place] = event_type;
    this.#contexts[place] = context;
    this.#end++;
  }

  /** Takes the oldest event for all destinations. */
  take(): QueuedEvent | undefined {
    if (this.waiting === 0) return undefined;
    const number = this.#first;
    const event_type = this.#events[number & MASK]!;
    const context = this.#contexts[number & MASK]!;
    for (const outlet of this.#outlets) if (outlet.isFor(number)) outlet.backlog--;
    this.#clear(number);
    return { event_type, context, number };
  }

  /** Sets how many of the taken events wait for later ones. */
  setAside(events: number): void {
    this.#aside = events;
  }

  #dropFor(outlet: Outlet): void {
    if (outlet.dropFrame() || outlet.backlog === 0) return;
    if (outlet.backlog === this.waiting && !this.#isSharedWith(outlet)) {
      outlet.forget();
      this.#clear(this.#first);
      return;
    }
    outlet.dropEvent();
    this.#forgetUnneeded();
  }

  /** True when some event is for another destination than the given one. */
  #isSharedWith(one: Outlet): boolean {
    if (this.#outlets.length === 1) return false;
    return this.#outlets.some((outlet) => outlet !== one && outlet.backlog > 0);
  }

  /** Forgets the oldest events that no destination needs. */
  #forgetUnneeded(): void {
    while (this.waiting > 0 && !this.#isNeeded(this.#first)) this.#clear(this.#first);
  }

  #isNeeded(number: number): boolean {
    for (const outlet of this.#outlets) if (outlet.backlog > 0 && outlet.isFor(number)) return true;
    return false;
  }

  #forgetOldest(): void {
    for (const outlet of this.#outlets) if (outlet.isFor(this.#first)) outlet.forget();
    this.#clear(this.#first);
  }

  #clear(number: number): void {
    this.#events[number & MASK] = "";
    this.#contexts[number & MASK] = null;
    this.#first++;
  }
}
