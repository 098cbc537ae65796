/** The port of what tasks print, for homes other than the one where it is in files. */

/** Takes what an attempt prints. A store that is away costs no more than the output. */
export interface OutputWriter {
  /** A frame as a line, without its end. */
  add(line: string): void;
  /** Resolves when everything is stored, or cannot be within a few seconds. */
  close(): Promise<void>;
}

export interface StoredOutput {
  readonly lines: readonly string[];
  /** Where the next look goes on. */
  readonly next: number;
}

export interface OutputStore {
  /** For an attempt that runs in this process; undefined where all who look have its files. */
  writer(id: string, attempt: number): OutputWriter | undefined;
  /**
   * What the last attempt of a task has printed since another look, of a task that ran elsewhere; undefined for one
   * whose output is in files here.
   */
  read(id: string, after?: number): Promise<StoredOutput | undefined>;
}
