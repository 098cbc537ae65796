/** The name under which injected text is stored; it does not start its own turn. */
export const INJECTED = "injected";

/** Text that was put into a running turn (`AgentRunner.inject`). */
export interface Injection {
  readonly content: string;
  readonly label: string;
  /** The source of the text: `inject`, or another one of CONTRACT §13. */
  readonly kind: string;
}

/** Text that waits for the running turn. Once closed it accepts nothing more, so that nothing is lost silently. */
export class Injections {
  #waiting: Injection[] = [];
  #open = true;

  /** False when the turn no longer accepts anything. */
  add(injection: Injection): boolean {
    if (this.#open) this.#waiting.push(injection);
    return this.#open;
  }

  take(): readonly Injection[] {
    return this.#waiting.splice(0);
  }

  /** Closes if nothing is waiting; false if something is. */
  closeIfEmpty(): boolean {
    if (this.#waiting.length === 0) this.#open = false;
    return !this.#open;
  }

  /** Closes and returns what was still waiting. */
  close(): readonly Injection[] {
    this.#open = false;
    return this.take();
  }
}
