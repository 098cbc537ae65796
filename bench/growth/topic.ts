/** What a topic of the growth benchmark measures. */

/** A figure of one kind of work, at one size of its input. */
export interface Figure {
  /** Processor time of one piece of work, of all its threads, in milliseconds. */
  readonly ms: number;
  /** Resident memory of the process that did it, in megabytes. */
  readonly megabytes: number;
}

/** A piece of work, done as often as needed for a measurement. */
export interface Work extends Partial<AsyncDisposable> {
  /** Does the work once. It gives its figure when another process did it; else the processor time is measured here. */
  readonly once: () => void | Figure | Promise<void | Figure>;
  readonly rounds?: number;
}

/** A kind of work whose cost is measured at each size. */
export interface Line {
  /** A few words, for the legend and the table. */
  readonly name: string;
  /** Prepares an input of this size in an empty folder. */
  readonly prepare: (size: number, folder: string) => Work | Promise<Work>;
}

export interface Topic {
  readonly title: string;
  /** What there is more and more of. */
  readonly input: string;
  /** Ascending; only the first may be 0. */
  readonly sizes: readonly number[];
  readonly lines: readonly Line[];
}
