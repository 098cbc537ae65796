/** Counts how often something had to be started again lately. */

/** So many within the window are tolerated; one more is too many. */
const MOST_RESTARTS = 5;
const WINDOW_MS = 60_000;

export class Restarts {
  readonly #now: () => number;
  #times: number[] = [];

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  note(): void {
    this.#forget();
    this.#times.push(this.#now());
  }

  /** In the last minute. */
  get count(): number {
    this.#forget();
    return this.#times.length;
  }

  get areTooMany(): boolean {
    return this.count > MOST_RESTARTS;
  }

  #forget(): void {
    const since = this.#now() - WINDOW_MS;
    this.#times = this.#times.filter((time) => time > since);
  }
}

export const TOO_MANY_RESTARTS = `it has ended its Python process more than ${MOST_RESTARTS} times within a minute. It gets no events until it is reloaded`;
