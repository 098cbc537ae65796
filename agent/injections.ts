/** The name under which injected text is stored: it begins no turn of its own. */
export const INJECTED = "injected";

/** Text that was put into a running turn (`AgentRunner.inject`). */
export interface Injection {
  readonly content: string;
  readonly label: string;
}

/** What waits to be taken up by one running turn. Once closed it takes nothing more, so that nothing is lost unseen. */
export class Injections {
  #waiting: Injection[] = [];
  #open = true;

  /** False when the turn no longer takes anything up. */
  add(injection: Injection): boolean {
    if (this.#open) this.#waiting.push(injection);
    return this.#open;
  }

  take(): readonly Injection[] {
    return this.#waiting.splice(0);
  }

  /** Closes when nothing waits; false when something does. */
  closeIfEmpty(): boolean {
    if (this.#waiting.length === 0) this.#open = false;
    return !this.#open;
  }

  /** Closes and gives what still waited. */
  close(): readonly Injection[] {
    this.#open = false;
    return this.take();
  }
}
