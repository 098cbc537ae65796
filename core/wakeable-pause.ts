/** A pause of one waiter that others can cut short. It keeps no process running. */
export class WakeablePause {
  #end: (() => void) | null = null;

  /** Resolves after so many milliseconds, or when it is woken. */
  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#end = resolve;
    await promise;
    clearTimeout(timer);
    this.#end = null;
  }

  /** Ends the pause that goes on, if one does. */
  wake(): void {
    this.#end?.();
  }
}
