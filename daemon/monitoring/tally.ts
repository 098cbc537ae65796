/** Counts of this process on their way to the home's counters: summed up here, and written a few seconds later. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Count, CounterStore } from "#core/ports/counters";
import { createRareLog } from "#core/rare-log";

const WRITE_MS = 5000;

export class Tally implements AsyncDisposable {
  readonly #store: CounterStore;
  readonly #rare: (sentence: string) => void;
  #sums = new Map<string, Count>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: CounterStore, log: Log) {
    this.#store = store;
    this.#rare = createRareLog({ write: (sentence) => log.error(sentence) });
  }

  add(counts: readonly Count[]): void {
    for (const count of counts) {
      const key = JSON.stringify([count.name, count.labels]);
      const known = this.#sums.get(key);
      this.#sums.set(key, known === undefined ? count : { ...known, amount: known.amount + count.amount });
    }
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_MS).unref();
  }

  /** Writes what was counted. What cannot be written is kept for the next time. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sums.size === 0) return;
    const written = [...this.#sums.values()];
    this.#sums = new Map();
    try {
      await this.#store.add(written);
    } catch (error) {
      this.#rare(`metrics cannot be stored: ${problemOf(error)}`);
      this.add(written);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
  }
}
