/**
 * Server-sent events. Each subscriber has a position in the history and gets the events after it as fast as it reads.
 * Events before it connected, new events, and events it missed while it was slow are all handled the same way. So
 * nothing is queued per subscriber except what is on its way to the socket.
 */
import type { ServerResponse } from "node:http";
import { toJson, type History } from "./history.ts";

export interface StreamLimits {
  /** Maximum number of subscribers. */
  readonly subscribers: number;
  /** Maximum number of bytes that may wait for a subscriber's socket. */
  readonly waitingBytes: number;
  /** A subscriber that reads nothing for this long is disconnected. */
  readonly stalledMs: number;
  readonly keepAliveMs: number;
}

export interface Subscription {
  /** The number after which the stream starts. */
  readonly after: number;
  /** The session it belongs to; undefined for a bearer token. */
  readonly session?: string | undefined;
}

interface Subscriber {
  readonly response: ServerResponse;
  readonly session: string | undefined;
  /** The last event sent to it. */
  seq: number;
  /** When its socket last accepted data. */
  readyAt: number;
}

/** How many events are joined for one write, and their characters: large ones would fill the memory. */
const CHUNK = 256;
const CHUNK_CHARACTERS = 512 * 1024;
const RETRY_MS = 1000;

export class Streams {
  readonly #subscribers = new Set<Subscriber>();
  readonly #history: History;
  readonly #limits: StreamLimits;
  #timer: NodeJS.Timeout | undefined;

  constructor(history: History, limits: StreamLimits) {
    this.#history = history;
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#subscribers.size >= this.#limits.subscribers;
  }

  /** Turns a response with headers into a stream. It ends with its connection, its session, or the dashboard. */
  add(response: ServerResponse, { after, session }: Subscription): void {
    const { last, oldest } = this.#history;
    // A subscriber that starts from the very beginning has not missed events that are no longer kept.
    const seq = after === 0 && oldest !== null ? oldest - 1 : Math.min(after, last);
    const subscriber: Subscriber = { response, session, seq, readyAt: performance.now() };
    this.#subscribers.add(subscriber);
    response.once("close", () => this.#remove(subscriber));
    response.on("drain", () => this.#fill(subscriber));
    // A broken connection is closed; nothing else needs to be done.
    response.on("error", () => undefined);
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#timer ??= setInterval(() => this.#keepAlive(), this.#limits.keepAliveMs).unref();
    this.#fill(subscriber);
  }

  /**
   * Announces new events. `whole` has the complete form of events that the history shortened; subscribers that are up
   * to date get those.
   */
  wake(whole?: ReadonlyMap<number, string>): void {
    for (const subscriber of this.#subscribers) this.#fill(subscriber, whole);
  }

  /** Ends all streams of a session. */
  endSession(session: string): void {
    for (const subscriber of this.#subscribers) if (subscriber.session === session) subscriber.response.end();
  }

  /** Ends all streams. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { response } of this.#subscribers) response.end();
  }

  /** Writes until the subscriber is up to date or its socket is full. */
  #fill(subscriber: Subscriber, whole?: ReadonlyMap<number, string>): void {
    const { response } = subscriber;
    while (subscriber.seq < this.#history.last && response.writableLength < this.#limits.waitingBytes) {
      if (response.writableEnded || response.destroyed) return;
      const events = this.#history.after(subscriber.seq, CHUNK);
      const [first] = events;
      if (first === undefined) return;
      let text = missedBetween(subscriber.seq, this.#history.oldest ?? first.seq);
      for (const event of events) {
        if (text.length > CHUNK_CHARACTERS) break;
        text += `id: ${event.seq}\ndata: ${whole?.get(event.seq) ?? toJson(event)}\n\n`;
        subscriber.seq = event.seq;
      }
      subscriber.readyAt = performance.now();
      response.write(text);
    }
  }

  #keepAlive(): void {
    const now = performance.now();
    for (const subscriber of this.#subscribers) {
      const { response } = subscriber;
      const stalled = response.writableLength > 0;
      if (!stalled) {
        subscriber.readyAt = now;
        response.write(": keep-alive\n\n");
      } else if (now - subscriber.readyAt > this.#limits.stalledMs) response.destroy();
    }
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Tells a slow subscriber how many events it has missed. */
function missedBetween(seen: number, oldest: number): string {
  const dropped = oldest - 1 - seen;
  return dropped > 0 ? `event: dropped\ndata: {"dropped":${dropped}}\n\n` : "";
}
