/** For tests of deadlines before which something else must have happened. */

/**
 * Calls `attempt` with 1, 4 and 16 as factors of its deadline until it gives something other than undefined: a slow
 * machine gets more time for what must come before the deadline, and a fast one does not wait for it.
 */
export async function inGoodTime<Value>(attempt: (factor: number) => Promise<Value | undefined>): Promise<Value> {
  for (const factor of [1, 4, 16]) {
    const value = await attempt(factor);
    if (value !== undefined) return value;
  }
  throw new Error("even with 16 times the deadline, what had to come before it did not");
}
