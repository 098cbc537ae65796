/** Turns events into deliveries. The publisher of an event pays for a copy of its payload; the rest comes later. */
import { memoize } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import { isEventName } from "#core/events";
import { copyWithCare, plainSize } from "#core/forward/value";
import { wildcardOf } from "#core/gateway-event-names";
import type { Log } from "#core/home/log";
import type { DeliveryStore, NewDelivery } from "#core/ports/deliveries";
import { createRareLog } from "#core/rare-log";
import type { Endpoint } from "./endpoints.ts";

export interface PublisherOptions {
  readonly store: Pick<DeliveryStore, "add">;
  readonly redact: (text: string) => string;
  /** Whether a matcher matches a tool. */
  readonly matches: (matcher: string, tool: string) => boolean;
  /** Deliveries for these endpoints were stored. */
  readonly onStored: (endpoints: ReadonlySet<string>) => void;
  readonly log: Log;
}

/** The size limits of a payload, in characters. */
const LIMITS = { characters: 512 * 1024, longestText: 64 * 1024 } as const;
/** Names of gateway events are an open set. */
const MOST_EVENTS = 500;
/** Events that wait to be stored; more are lost, because memory must not grow while the disk is full. */
const MOST_WAITING = 10_000;
const STORE_AGAIN_MS = 5000;

interface Captured {
  readonly event: string;
  readonly endpoints: readonly Endpoint[];
  readonly text: string;
}

export class WebhookPublisher {
  readonly #options: PublisherOptions;
  readonly #rare: (problem: string) => void;
  #endpointsOf: (event: string) => readonly Endpoint[] = () => [];
  #waiting: Captured[] = [];
  #lost = 0;
  /** One after another: an end that waits for the last one waits for all. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  /** Replaces the endpoints. */
  configure(endpoints: readonly Endpoint[]): void {
    this.#endpointsOf = memoize(
      (event: string) => endpoints.filter((one) => one.event === event || one.event === wildcardOf(event)),
      MOST_EVENTS,
    );
  }

  /** True when an endpoint listens to the event. */
  listens(event: string): boolean {
    return this.#endpointsOf(event).length > 0;
  }

  /** Takes a copy of an event. Never throws, and never waits. */
  publish(event: string, payload: object): void {
    try {
      const endpoints = this.#endpointsOf(event).filter((endpoint) => this.#isMatched(endpoint, event, payload));
      if (endpoints.length === 0) return;
      if (this.#waiting.length >= MOST_WAITING) {
        return this.#rare(`${++this.#lost} events for webhooks are lost so far, because too many wait to be stored`);
      }
      if (this.#waiting.length === 0) setImmediate(() => void this.flush());
      this.#waiting.push({ event, endpoints, text: capture(event, payload, this.#options.redact) });
    } catch (error) {
      this.#rare(`an event for webhooks was lost: ${problemOf(error)}`);
    }
  }

  /** The deliveries of an event, for a caller that stores them together with something else. */
  deliveriesFor(event: string, payload: object): readonly NewDelivery[] {
    const { redact } = this.#options;
    const endpoints = this.#endpointsOf(event);
    if (endpoints.length === 0) return [];
    const text = withoutSecrets(capture(event, payload, redact), redact);
    return endpoints.map(({ name }) => ({ event, endpoint: name, payload: text }));
  }

  /** Stores what was published, after what is being stored now. Never rejects. */
  flush(): Promise<void> {
    this.#last = this.#last.then(() => this.#store());
    return this.#last;
  }

  async #store(): Promise<void> {
    const captured = this.#waiting;
    this.#waiting = [];
    if (captured.length === 0) return;
    const { store, redact, onStored } = this.#options;
    const deliveries = captured.flatMap(({ event, endpoints, text }): NewDelivery[] => {
      const payload = withoutSecrets(text, redact);
      return endpoints.map(({ name }) => ({ event, endpoint: name, payload }));
    });
    try {
      await store.add(deliveries);
    } catch (error) {
      this.#waiting = [...captured, ...this.#waiting];
      setTimeout(() => void this.flush(), STORE_AGAIN_MS).unref();
      return this.#rare(`events for webhooks cannot be stored yet: ${problemOf(error)}`);
    }
    onStored(new Set(deliveries.map(({ endpoint }) => endpoint)));
  }

  #isMatched({ matcher }: Endpoint, event: string, payload: object): boolean {
    if (matcher === null) return true;
    const { tool_name, tool } = payload as { readonly tool_name?: unknown; readonly tool?: unknown };
    const name = event === "tool_called" ? tool : isEventName(event) ? tool_name : undefined;
    return typeof name !== "string" || this.#options.matches(matcher, name);
  }
}

/** The payload with the event's name and time, as JSON. */
function capture(event: string, payload: object, redact: (text: string) => string): string {
  const { event: _event, timestamp: _timestamp, ...fields } = payload as Record<string, unknown>;
  const whole = { event, timestamp: new Date().toISOString(), ...fields };
  return JSON.stringify(plainSize(whole, LIMITS.characters) === null ? copyWithCare(whole, redact, LIMITS) : whole);
}

function withoutSecrets(text: string, redact: (text: string) => string): string {
  return redact(text) === text ? text : JSON.stringify(copyWithCare(JSON.parse(text), redact, LIMITS));
}
