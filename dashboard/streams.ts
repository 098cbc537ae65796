/**
 * Server-sent events. Each subscriber has a place in the history and gets what lies behind it as fast as it reads: what
 * came before it connected, what comes now, and what it missed while it was slow are one thing. So nothing is queued
 * for anybody but what is on its way to the socket.
 */
import type { ServerResponse } from "node:http";
import { toJson, type History } from "./history.ts";

export interface StreamLimits {
  /** Subscribers at the same time. */
  readonly subscribers: number;
  /** What may wait for a subscriber's socket, in bytes, before it gets no more. */
  readonly waitingBytes: number;
  /** A subscriber that takes nothing for so long is disconnected. */
  readonly stalledMs: number;
  readonly keepAliveMs: number;
}

export interface Subscription {
  /** The number behind which the stream begins. */
  readonly after: number;
  /** The session that pays for it; undefined for a bearer. */
  readonly session?: string | undefined;
}

interface Subscriber {
  readonly response: ServerResponse;
  readonly session: string | undefined;
  /** The last event it was given. */
  seq: number;
  /** When its socket last had room. */
  readyAt: number;
}

/** How many events are put together for one write. */
const CHUNK = 256;
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

  /** Makes the response, whose headers are set, a stream. It ends with its connection, its session, or the dashboard. */
  add(response: ServerResponse, { after, session }: Subscription): void {
    const { last, oldest } = this.#history;
    // Whoever asks from the very beginning has missed nothing by what is no longer kept.
    const seq = after === 0 && oldest !== null ? oldest - 1 : Math.min(after, last);
    const subscriber: Subscriber = { response, session, seq, readyAt: performance.now() };
    this.#subscribers.add(subscriber);
    response.once("close", () => this.#remove(subscriber));
    response.on("drain", () => this.#fill(subscriber));
    // A connection that breaks is closed, which is all there is to know.
    response.on("error", () => undefined);
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#timer ??= setInterval(() => this.#keepAlive(), this.#limits.keepAliveMs).unref();
    this.#fill(subscriber);
  }

  /**
   * Says that there are new events. `whole` holds those that the history has only in part: whoever is not behind gets
   * them as they came.
   */
  wake(whole?: ReadonlyMap<number, string>): void {
    for (const subscriber of this.#subscribers) this.#fill(subscriber, whole);
  }

  /** Ends the streams of a session. */
  endSession(session: string): void {
    for (const subscriber of this.#subscribers) if (subscriber.session === session) subscriber.response.end();
  }

  /** Ends all of them. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { response } of this.#subscribers) response.end();
  }

  /** Writes until the subscriber is up to date or its socket has enough. */
  #fill(subscriber: Subscriber, whole?: ReadonlyMap<number, string>): void {
    const { response } = subscriber;
    while (subscriber.seq < this.#history.last && response.writableLength < this.#limits.waitingBytes) {
      if (response.writableEnded || response.destroyed) return;
      const events = this.#history.after(subscriber.seq, CHUNK);
      const [first] = events;
      const last = events.at(-1);
      if (first === undefined || last === undefined) return;
      let text = missedBetween(subscriber.seq, this.#history.oldest ?? first.seq);
      for (const event of events) {
        text += `id: ${event.seq}\ndata: ${whole?.get(event.seq) ?? toJson(event)}\n\n`;
      }
      subscriber.seq = last.seq;
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

/** Tells a subscriber that was too slow how many events are gone for it. */
function missedBetween(seen: number, oldest: number): string {
  const dropped = oldest - 1 - seen;
  return dropped > 0 ? `event: dropped\ndata: {"dropped":${dropped}}\n\n` : "";
}
