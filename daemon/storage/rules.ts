/** What the stores of every engine keep to. */

/** Ids that a beginning is completed to. */
export const MOST_CANDIDATES = 10;

/** A row that was written later than now, by more than this, was written before the clock was set back. */
export const CLOCK_TOLERANCE_MS = 5000;

/** A moment in milliseconds as people see it. */
export function isoTime(moment: number): string {
  return new Date(moment).toISOString();
}

/** Like {@link isoTime}; null stays null. */
export function isoTimeOrNull(moment: number | null): string | null {
  return moment === null ? null : isoTime(moment);
}
