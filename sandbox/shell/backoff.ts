/** How soon a process that keeps failing is started again. */
import { growingPause } from "#core/backoff";

/** So many failures in a row cost nothing but the failed runs. */
const FREE_FAILURES = 2;
const WAITS = { firstPause: 1000, longestPause: 60_000 };

export class Backoff {
  readonly #now: () => number;
  #failures = 0;
  #until = 0;

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  failed(): void {
    this.#failures += 1;
    const further = this.#failures - FREE_FAILURES;
    if (further > 0) this.#until = this.#now() + growingPause(further - 1, WAITS);
  }

  reset(): void {
    [this.#failures, this.#until] = [0, 0];
  }

  /** Why it must not be started yet, as a clause; null when it may. */
  refusal(): string | null {
    const left = this.#until - this.#now();
    if (left <= 0) return null;
    return `it failed ${this.#failures} times in a row, and is not started again for ${Math.ceil(left / 1000)} s`;
  }
}
