export interface Backoff {
  /** Milliseconds. */
  readonly firstPause: number;
  readonly longestPause: number;
}

/** The pause after a number of earlier failures, in milliseconds: doubled each time, up to the longest. */
export function growingPause(failures: number, { firstPause, longestPause }: Backoff): number {
  return Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause);
}
