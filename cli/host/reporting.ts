import type { NewDelivery } from "#core/ports/deliveries";

/** Reports a change by webhooks: the deliveries are stored together with the change. */
export interface Reporting {
  /** The deliveries of an event to the endpoints that listen to it. */
  readonly deliveriesFor: (event: string, payload: object) => readonly NewDelivery[];
  /** Such deliveries were stored. Resolves when they have been looked for. */
  readonly wake: () => Promise<void>;
}
