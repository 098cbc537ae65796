export interface Backoff {
  /** Milliseconds. */
  readonly firstPause: number;
  readonly longestPause: number;
}

/** The pause after so many failures before the last one, in milliseconds: twice as long each time, up to the longest. */
export function growingPause(failures: number, { firstPause, longestPause }: Backoff): number {
  return Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause);
}
