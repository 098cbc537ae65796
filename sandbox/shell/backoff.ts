/** How soon a process that keeps failing is started again. */

/** So many failures in a row cost nothing but the failed runs. */
const FREE_FAILURES = 2;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

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
    if (further > 0) this.#until = this.#now() + Math.min(FIRST_WAIT_MS * 2 ** (further - 1), LONGEST_WAIT_MS);
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
