/** Gives an endpoint rest that fails again and again: 30 s after 5 failures in a row, doubled each time, 10 min at most. */
import { growingPause } from "#core/backoff";

const MOST_FAILURES = 5;
const REST = { firstPause: 30_000, longestPause: 600_000 } as const;

export class CircuitBreaker {
  readonly #now: () => number;
  #failures = 0;
  #rests = 0;
  #until = 0;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How long it rests from now on, in milliseconds; 0 when it may be tried. */
  get restMs(): number {
    return Math.max(0, this.#until - this.#now());
  }

  /** True from the first rest to the next success: one attempt at a time, which does not count. */
  get isProbing(): boolean {
    return this.#rests > 0;
  }

  succeeded(): void {
    this.#failures = this.#rests = this.#until = 0;
  }

  failed(): void {
    // It was sent before the rest began.
    if (this.restMs > 0) return;
    this.#failures++;
    if (!this.isProbing && this.#failures < MOST_FAILURES) return;
    this.#until = this.#now() + growingPause(this.#rests++, REST);
  }
}
