/** Finds the callback that blocked the whole program. */
import { setTimeout as delay } from "node:timers/promises";
import type { EventName } from "#core/events";
import type { HookRun } from "#core/ports/hook";

/** What can block: a callback's name and event. */
export interface Blocker {
  readonly name: string;
  readonly event: EventName;
}

interface Waiting {
  readonly blocker: Blocker;
  /** Until when it is watched, as of `performance.now()`. */
  readonly until: number;
}

/** From how many milliseconds of blocking there is a warning. */
const WORTH_A_WARNING = 1000;
const TICK = 200;
const SETTLE_TICK = 20;

export class BlockWatch {
  /** The synchronous callback that is running or has just run; its record has the duration. */
  running: Blocker | undefined;
  readonly #warn: (sentence: string) => void;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  constructor(warn: (sentence: string) => void) {
    this.#warn = warn;
  }

  /** A sink of run records: the record after a synchronous callback belongs to it. */
  readonly record = (run: HookRun): void => {
    const blocker = this.running;
    if (blocker === undefined) return;
    this.running = undefined;
    if (run.source === "plugin" && run.duration_ms > WORTH_A_WARNING) this.report(blocker, run.duration_ms);
  };

  /** Warns when a callback blocked the program for over a second. */
  report({ name, event }: Blocker, milliseconds: number): void {
    if (milliseconds <= WORTH_A_WARNING) return;
    // Callbacks that are waiting meanwhile are not to blame.
    this.#last = performance.now();
    this.#warn(
      `plugin "${name}" blocked the whole program for ${(milliseconds / 1000).toFixed(1)} s in its callback for ${event}. Make slow work asynchronous.`,
    );
  }

  /**
   * Watches the program while a callback is waiting, for at most `seconds`: after that, nobody waits for it any more.
   * Returns a function that stops watching.
   */
  begin(blocker: Blocker, seconds: number): () => void {
    const entry = { blocker, until: performance.now() + seconds * 1000 };
    this.#waiting.add(entry);
    if (this.#timer === undefined) {
      this.#last = performance.now();
      this.#timer = setInterval(() => this.#tick(), TICK).unref();
    }
    return () => {
      // Called right after the block, before the timer could run.
      if (this.#waiting.has(entry)) this.#tick();
      this.#forget(entry);
    };
  }

  /** Waits until none of these callbacks is watched any more, for at most `seconds`. */
  async settle(blockers: ReadonlySet<Blocker>, seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    const isWaiting = ({ blocker, until }: Waiting) => blockers.has(blocker) && until > performance.now();
    // At least once, because a finished callback may be followed by the next one of the same firing.
    do await delay(SETTLE_TICK);
    while (performance.now() < end && [...this.#waiting].some(isWaiting));
  }

  #tick(): void {
    const now = performance.now();
    const before = this.#last;
    const blocked = now - before - TICK;
    this.#last = now;
    for (const entry of this.#waiting) {
      // Nobody was waiting for it any more when the block started.
      if (entry.until < before) this.#forget(entry);
      else if (blocked > WORTH_A_WARNING) this.report(entry.blocker, blocked + TICK);
    }
  }

  #forget(entry: Waiting): void {
    this.#waiting.delete(entry);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
