/** Rate-limits log lines about frequent problems: at most one a minute. */
const INTERVAL_MS = 60_000;

/** A monotonic clock, in milliseconds. */
type Clock = () => number;

export class OncePerMinute {
  readonly #now: Clock;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(now: Clock = () => performance.now()) {
    this.#now = now;
  }

  /** True for the first call, and then for one call a minute. */
  isDue(): boolean {
    const moment = this.#now();
    if (moment - this.#saidAt < INTERVAL_MS) return false;
    this.#saidAt = moment;
    return true;
  }

  /** The next call is a first call again. */
  reset(): void {
    this.#saidAt = Number.NEGATIVE_INFINITY;
  }
}

export interface RareLogOptions {
  readonly write: (sentence: string) => void;
  readonly now?: Clock;
}

/** Returns a function that logs a message, or only counts it if one was logged less than a minute ago. */
export function createRareLog({ write, now }: RareLogOptions): (sentence: string) => void {
  const rare = new OncePerMinute(now);
  let suppressed = 0;
  return (sentence) => {
    if (!rare.isDue()) {
      suppressed++;
      return;
    }
    write(suppressed === 0 ? sentence : `${sentence} (${suppressed} similar errors suppressed)`);
    suppressed = 0;
  };
}
