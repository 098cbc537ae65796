/** Bounds how many scripts of a hook run, how many requests wait for one, and how many come in a minute. */

export class Slots {
  readonly #most: number;
  readonly #mostWaiting: number;
  #running = 0;
  /** In order of arrival. */
  readonly #waiting: ((granted: boolean) => void)[] = [];

  constructor(options: { readonly concurrency: number; readonly queue: number }) {
    this.#most = options.concurrency;
    this.#mostWaiting = options.queue;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves to true with a slot, to false when {@link close} was called first; undefined when the queue is full. */
  enter(): Promise<boolean> | undefined {
    if (this.#running < this.#most) {
      this.#running++;
      return Promise.resolve(true);
    }
    if (this.#waiting.length >= this.#mostWaiting) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives the slot to the next one, or frees it. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next(true);
  }

  /** Turns away all that wait. */
  close(): void {
    for (const next of this.#waiting.splice(0)) next(false);
  }
}

const MINUTE_MS = 60_000;

/** At most so many requests in any minute. */
export class RateLimit {
  readonly #most: number | null;
  readonly #now: () => number;
  /** Moments of the requests of the last minute, oldest first. */
  #recent: number[] = [];

  constructor(most: number | null, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
  }

  /** Null for a request within the limit; else the seconds until the next one may come. */
  take(): number | null {
    if (this.#most === null) return null;
    const now = this.#now();
    this.#recent = this.#recent.filter((at) => now - at < MINUTE_MS);
    const [oldest] = this.#recent;
    if (oldest !== undefined && this.#recent.length >= this.#most) {
      return Math.max(1, Math.ceil((oldest + MINUTE_MS - now) / 1000));
    }
    this.#recent.push(now);
    return null;
  }
}
