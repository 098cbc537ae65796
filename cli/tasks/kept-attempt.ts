/** The attempt that this process runs: kept while it does, and given up when somebody else may run it. */
import { setTimeout as pause } from "node:timers/promises";
import { isHermesError } from "#core/errors";
import type { TaskStore } from "#core/ports/tasks";

const RETRY_MS = 1000;

export interface KeptAttemptOptions {
  readonly store: Pick<TaskStore, "keep">;
  readonly id: string;
  readonly attempt: number;
  /** Ends the turn. */
  readonly interrupt: () => void;
  /** False for a process whose worker ends it when somebody cancels its task. */
  readonly endsItself: boolean;
}

export class KeptAttempt implements Disposable {
  readonly #kept: Disposable;
  readonly #lost = Promise.withResolvers<undefined>();
  #isStoring = false;
  /** True once the attempt may run elsewhere: nothing of it is this process's to store. */
  isLost = false;

  constructor({ store, id, attempt, interrupt, endsItself }: KeptAttemptOptions) {
    this.#kept = store.keep(id, attempt, {
      onLost: (why) => {
        // The end that is being stored now, or an answer that says so itself.
        if (why === "ended" && this.#isStoring) return;
        this.isLost = true;
        this.#lost.resolve(undefined);
        if (!this.#isStoring) interrupt();
      },
      onCancel: () => {
        if (endsItself) interrupt();
      },
    });
  }

  /**
   * Stores what has become of it. While the database is away it is tried again, for as long as the attempt is surely
   * this process's; undefined when it is lost.
   */
  async store<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
    this.#isStoring = true;
    for (;;) {
      if (this.isLost) return undefined;
      try {
        // A connection that is cut without a word answers nothing.
        return await Promise.race([work(), this.#lost.promise]);
      } catch (error) {
        if (!isHermesError(error) || error.code !== "HERMES_DATABASE_UNAVAILABLE") throw error;
      }
      await Promise.race([pause(RETRY_MS), this.#lost.promise]);
    }
  }

  [Symbol.dispose](): void {
    this.#kept[Symbol.dispose]();
  }
}
