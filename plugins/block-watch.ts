/** Names the callback that kept the whole program from going on. */
import type { EventName } from "#core/events";
import type { HookRun } from "#core/runs";

/** What can block: a callback's name and event. */
export interface Blocker {
  readonly name: string;
  readonly event: EventName;
}

/** From how many milliseconds on a blocked program is worth a warning. */
const WORTH_A_WARNING = 1000;
const TICK = 200;

export class BlockWatch {
  /** The synchronous callback that runs or has just run; its record tells how long. */
  running: Blocker | undefined;
  readonly #warn: (sentence: string) => void;
  readonly #waiting = new Set<{ readonly blocker: Blocker }>();
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
    this.#warn(
      `plugin "${name}" blocked the whole program for ${(milliseconds / 1000).toFixed(1)} s in its callback for ${event}. Make its slow work asynchronous.`,
    );
  }

  /** Watches the program while a callback waits for something; returns what ends that. */
  begin(blocker: Blocker): () => void {
    const entry = { blocker };
    this.#waiting.add(entry);
    if (this.#timer === undefined) {
      this.#last = performance.now();
      this.#timer = setInterval(() => this.#tick(), TICK).unref();
    }
    return () => {
      // Called in the same breath as the block ends, before the timer had its turn.
      if (this.#waiting.has(entry)) this.#tick();
      this.#waiting.delete(entry);
      if (this.#waiting.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #tick(): void {
    const now = performance.now();
    const blocked = now - this.#last - TICK;
    this.#last = now;
    if (blocked <= WORTH_A_WARNING) return;
    for (const { blocker } of this.#waiting) this.report(blocker, blocked + TICK);
  }
}
