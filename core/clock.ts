/** The monotonic clock; the global of this name is a getter, which takes a sixth of the time of a reading. */
export const monotonic = performance;

/**
 * The wall clock, derived from the monotonic one: reading a clock costs more than dispatching a hook, and a run needs
 * the monotonic one anyway. The difference is measured again every second, so that changes of the clock take effect.
 */
const RECKONED_MS = 1000;

let distance = 0;
let reckonedAt = Number.NEGATIVE_INFINITY;

/** Milliseconds since 1970 for a recent value of `performance.now()`. */
export function wallClockAt(moment: number): number {
  if (moment - reckonedAt > RECKONED_MS) {
    distance = Date.now() - monotonic.now();
    reckonedAt = moment;
  }
  return moment + distance;
}
