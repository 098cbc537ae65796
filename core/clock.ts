/**
 * The wall clock, read off the monotonic one: reading a clock costs more than dispatching a hook, and a run needs the
 * monotonic one anyway. The distance between the two is taken anew every second, so that a set clock shows.
 */
const RECKONED_MS = 1000;

let distance = 0;
let reckonedAt = Number.NEGATIVE_INFINITY;

/** Milliseconds since 1970 at a moment of `performance.now()` that is not long past. */
export function wallClockAt(moment: number): number {
  if (moment - reckonedAt > RECKONED_MS) {
    distance = Date.now() - performance.now();
    reckonedAt = moment;
  }
  return moment + distance;
}
