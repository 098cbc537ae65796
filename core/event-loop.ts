import { setImmediate as immediate } from "node:timers/promises";

/**
 * Resolves when the event loop has handled what had come in: requests, timers, signals. Work that only awaits promises
 * that are settled already would keep them all waiting.
 */
export async function yieldToEventLoop(): Promise<void> {
  // The first may come before the system is asked what has come in, the second comes after.
  await immediate();
  await immediate();
}
