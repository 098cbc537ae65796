/** Names the callback that kept the whole program from going on. */
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
  /** Until when it is waited for, by `performance.now()`. */
  readonly until: number;
}

/** From how many milliseconds on a blocked program is worth a warning. */
const WORTH_A_WARNING = 1000;
const TICK = 200;
const SETTLE_TICK = 20;

export class BlockWatch {
  /** The synchronous callback that runs or has just run; its record tells how long. */
  running: Blocker | undefined;
  readonly #warn: (sentence: string) => void;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  constructor(warn: (sentence: string) => void) {
    this.#warn = warn;
  }

  /** A sink of run records: the record that follows a synchronous callback is its own. */
  readonly record = (run: HookRun): void => {
    const blocker = this.running;
    if (blocker === undefined) return;
    this.running = undefined;
    if (run.source === "plugin" && run.duration_ms > WORTH_A_WARNING) this.report(blocker, run.duration_ms);
  };

  /** Warns when a callback blocked the program for over a second. */
  report({ name, event }: Blocker, milliseconds: number): void {
    if (milliseconds <= WORTH_A_WARNING) return;
    // Those that wait meanwhile are not to blame for it.
    this.#last = performance.now();
    this.#warn(
      `plugin "${name}" blocked the whole program for ${(milliseconds / 1000).toFixed(1)} s in its callback for ${event}. Make its slow work asynchronous.`,
    );
  }

  /**
   * Watches the program while a callback waits for something, for `seconds` at most: then nobody waits for it any
   * more. Returns what ends that.
   */
  begin(blocker: Blocker, seconds: number): () => void {
    const entry = { blocker, until: performance.now() + seconds * 1000 };
    this.#waiting.add(entry);
    if (this.#timer === undefined) {
      this.#last = performance.now();
      this.#timer = setInterval(() => this.#tick(), TICK).unref();
    }
    return () => {
      // Called in the same breath as the block ends, before the timer had its turn.
      if (this.#waiting.has(entry)) this.#tick();
      this.#forget(entry);
    };
  }

  /** Waits until none of these callbacks is waited for any more, for `seconds` at most. */
  async settle(blockers: ReadonlySet<Blocker>, seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    const isWaiting = ({ blocker, until }: Waiting) => blockers.has(blocker) && until > performance.now();
    // At least once: who has just ended may be followed by the next one of the same firing.
    do await delay(SETTLE_TICK);
    while (performance.now() < end && [...this.#waiting].some(isWaiting));
  }

  #tick(): void {
    const now = performance.now();
    const before = this.#last;
    const blocked = now - before - TICK;
    this.#last = now;
    for (const entry of this.#waiting) {
      // Nobody waited for it any more when the block began.
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
