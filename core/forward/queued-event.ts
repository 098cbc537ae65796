import type { EventContext } from "#core/registry";

/** An emitted event. The context is kept, not copied; the emitter must not change it. */
export interface QueuedEvent {
  readonly event_type: string;
  readonly context: EventContext;
  /** Its place in the order of all events of this queue. */
  readonly number: number;
}
