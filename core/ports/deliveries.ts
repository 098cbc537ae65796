/**
 * The port of what outlives a process. Every method is asynchronous, and each is one transaction: a change of state and
 * the deliveries that report it are written together or not at all.
 */

export const DELIVERY_STATUSES = ["pending", "delivered", "failed", "disabled"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** A message to an endpoint, before it is stored. */
export interface NewDelivery {
  readonly event: string;
  /** The endpoint's name. */
  readonly endpoint: string;
  /** The payload as JSON, before the endpoint's `transform`, without secrets. */
  readonly payload: string;
}

/** A stored message to an endpoint; times are ISO-8601, UTC. */
export interface Delivery {
  /** 16 lower-case letters and digits, the same for every attempt and redelivery. */
  readonly id: string;
  readonly event: string;
  readonly endpoint: string;
  readonly status: DeliveryStatus;
  /** How often it was sent, without the attempts that a resting endpoint was probed with. */
  readonly attempts: number;
  /** Null unless it is pending. */
  readonly next_attempt_at: string | null;
  /** The HTTP status of the last attempt; null when there was no answer. */
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: string;
  readonly delivered_at: string | null;
}

export interface DeliveryAttempt {
  readonly at: string;
  /** The HTTP status; null without an answer. */
  readonly status: number | null;
  readonly error: string | null;
  readonly duration_ms: number;
}

export interface DeliveryDetails extends Delivery {
  /** JSON. */
  readonly payload: string;
  /** Oldest first. */
  readonly history: readonly DeliveryAttempt[];
}

/** What a process got to send. */
export type ClaimedDelivery = Pick<
  DeliveryDetails,
  "id" | "event" | "endpoint" | "payload" | "attempts" | "created_at"
>;

/** What came of an attempt. */
export interface DeliveryOutcome {
  readonly id: string;
  readonly attempt: DeliveryAttempt;
  readonly next:
    | { readonly kind: "delivered" }
    | { readonly kind: "failed" }
    /** It failed, and its endpoint is switched off with it. */
    | { readonly kind: "gone" }
    /** In `inMs`; false for an attempt that does not count. */
    | { readonly kind: "again"; readonly inMs: number; readonly counts: boolean };
}

export interface ClaimOptions {
  readonly limit: number;
  /** How long nobody else gets them; afterwards the claimer counts as gone. */
  readonly leaseMs: number;
}

export interface DeliveryFilter {
  readonly status?: DeliveryStatus | undefined;
  readonly endpoint?: string | undefined;
  readonly limit?: number | undefined;
}

export interface EndpointCounts {
  readonly pending: number;
  readonly failed: number;
}

/** What waits to be delivered. */
export interface Backlog {
  readonly pending: number;
  /** When the oldest of it was stored; null when there is none. */
  readonly oldest: string | null;
}

/** The deliveries of a home. Every method rejects with what the engine throws. */
export interface DeliveryStore {
  /** Stores messages, as `disabled` for an endpoint that is switched off; returns their ids in order. */
  add(deliveries: readonly NewDelivery[]): Promise<readonly string[]>;
  /** Hands out what is due for an endpoint, oldest first. */
  claim(endpoint: string, options: ClaimOptions): Promise<readonly ClaimedDelivery[]>;
  /** Hands out one delivery, whatever its status and time, unless somebody is sending it; undefined then. */
  claimOne(id: string, options: Pick<ClaimOptions, "leaseMs">): Promise<ClaimedDelivery | undefined>;
  finish(outcomes: readonly DeliveryOutcome[]): Promise<void>;
  /** Gives back what was claimed and not sent. */
  release(ids: readonly string[]): Promise<void>;
  /** Gives back what processes claimed that are no longer running. True if other running processes still have some. */
  releaseAbandoned(): Promise<boolean>;
  /** In how many milliseconds something is due next, by endpoint; 0 and less is now. */
  due(): Promise<ReadonlyMap<string, number>>;
  /** Newest first. */
  list(filter: DeliveryFilter): Promise<readonly Delivery[]>;
  /** Every id that begins like this, at most ten. */
  find(beginning: string): Promise<readonly string[]>;
  get(id: string): Promise<DeliveryDetails | undefined>;
  /** Makes ended deliveries pending again, due now, with no attempts. Returns how many there were. */
  redeliver(ids: readonly string[]): Promise<number>;
  /** The failed ones that ended at or after a time. */
  failedSince(time: Date): Promise<readonly string[]>;
  counts(): Promise<ReadonlyMap<string, EndpointCounts>>;
  backlog(): Promise<Backlog>;
  disabledEndpoints(): Promise<ReadonlySet<string>>;
  /** Switches an endpoint on again; false when it was on. */
  enableEndpoint(name: string): Promise<boolean>;
  /** Deletes what ended before a time, and gives up what was created before another and is still pending. */
  prune(before: { readonly ended: Date; readonly created: Date }): Promise<void>;
}
