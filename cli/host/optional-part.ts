/** A part of a host that runs only while the configuration asks for it. */
export class OptionalPart<Part extends AsyncDisposable> implements AsyncDisposable {
  readonly #open: () => Promise<Part>;
  #running: Part | undefined;

  /** `open` starts it, and may load what it needs. */
  constructor(open: () => Promise<Part>) {
    this.#open = open;
  }

  /** Undefined while it is stopped. */
  get running(): Part | undefined {
    return this.#running;
  }

  /** Starts it if it is stopped. */
  async start(): Promise<Part> {
    return (this.#running ??= await this.#open());
  }

  async stop(): Promise<void> {
    const stopping = this.#running;
    this.#running = undefined;
    await stopping?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
