/** Texts as PostgreSQL takes them: its texts hold every character but U+0000, ours hold that, too. */

/** For a statement's value: U+0000 is written as U+0001 and `0`, U+0001 as U+0001 and `1`. */
export function storedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(storedValue);
  if (typeof value !== "string" || !/[\u0000\u0001]/.test(value)) return value;
  return value.replace(/[\u0000\u0001]/g, (character) => (character === "\u0000" ? "\u00010" : "\u00011"));
}

/** The text that {@link storedValue} was given. */
export function readText(stored: string): string {
  if (!stored.includes("\u0001")) return stored;
  return stored.replace(/\u0001([01])/g, (_, digit: string) => (digit === "0" ? "\u0000" : "\u0001"));
}
