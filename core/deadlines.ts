/**
 * Deadlines of one length for many short waits, with a single timer: few waits last until their deadline, and creating
 * and clearing a timer for each costs more than passing on the event.
 */
export class Deadlines<Entry> {
  readonly #ms: number;
  readonly #onDue: (entry: Entry) => void;
  /** In order of their due times. */
  readonly #due = new Map<Entry, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `onDue` is called for each entry that is still present `ms` after it was added. */
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

  /** Removes all entries. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  /** The timer does not keep the process alive; what is waited for does. */
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
