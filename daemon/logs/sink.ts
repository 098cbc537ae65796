/** What a kind of destination implements: it sends lines, and nothing else. */
export interface Sink extends AsyncDisposable {
  /**
   * Sends lines of JSON in their order, and gives how many of them, from the first on, have been sent. Rejects with a
   * {@link RefusedError} when sending them again is of no use, with anything else when it is.
   */
  send(lines: readonly string[], signal: AbortSignal): Promise<number>;
  /** Opens its file again for the next lines. */
  reopen?(): void;
}

/** The destination does not want these lines. */
export class RefusedError extends Error {}

/** The destination asks for a pause. */
export class LaterError extends Error {
  readonly retryAfterMs: number;

  constructor(problem: string, retryAfterMs: number) {
    super(problem);
    this.retryAfterMs = retryAfterMs;
  }
}
