/**
 * Spreads the looks of many workers at the queue. All of them hear of a new task at the same moment, and one can have
 * it: each waits for a random time that grows with their number, so that the looks in a second do not.
 */
import type { WakeListener } from "./listener.ts";

/** How long a worker waits on average for each two that live. */
const EACH_MS = 4;

export class WakeSpread implements Disposable {
  readonly #listener: WakeListener;
  readonly #workers: () => number;
  #timer: NodeJS.Timeout | undefined;

  /** `workers` is how many live now. */
  constructor(listener: WakeListener, workers: () => number) {
    this.#listener = listener;
    this.#workers = workers;
  }

  take(kind: Parameters<WakeListener>[0], session?: string): void {
    const others = this.#workers() - 1;
    if (kind !== "tasks" || others <= 0) return this.#listener(kind, session);
    // What is heard meanwhile is seen by the same look.
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#listener("tasks");
      },
      Math.random() * others * EACH_MS,
    ).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
