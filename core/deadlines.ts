/**
 * Deadlines of one length for many short waits, with one timer for all of them: hardly any wait lasts until its
 * deadline, and making and taking back a timer of its own costs more than handing over the event.
 */
export class Deadlines<Entry> {
  readonly #ms: number;
  readonly #onDue: (entry: Entry) => void;
  /** When they are due, the next one first. */
  readonly #due = new Map<Entry, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `onDue` is called for each entry that is still there `ms` after it was added. */
  constructor(ms: number, onDue: (entry: Entry) => void) {
    this.#ms = ms;
    this.#onDue = onDue;
  }

  add(entry: Entry): void {
    this.#due.set(entry, performance.now() + this.#ms);
    this.#timer ??= this.#wait(this.#ms);
  }

  delete(entry: Entry): void {
    this.#due.delete(entry);
  }

  /** Forgets all of them. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  /** The timer alone keeps no process alive: what is waited for does. */
  #wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#timer = undefined;
    for (const [entry, due] of this.#due) {
      const left = due - performance.now();
      if (left > 0) {
        this.#timer ??= this.#wait(Math.ceil(left));
        return;
      }
      this.#due.delete(entry);
      this.#onDue(entry);
    }
  }
}
