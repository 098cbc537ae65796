/** Texts as PostgreSQL takes them: its texts hold every character but U+0000, ours hold that, too. */

/** For a statement's value: U+0000 is written as U+0001 and `0`, U+0001 as U+0001 and `1`. */
export function storedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(storedValue);
  if (typeof value !== "string") return value;
  return value.replaceAll("\u0001", "\u00011").replaceAll("\u0000", "\u00010");
}

/** The text that {@link storedValue} was given. */
export function readText(stored: string): string {
  return stored.replaceAll("\u00010", "\u0000").replaceAll("\u00011", "\u0001");
}
