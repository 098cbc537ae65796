/** The sizes of the contexts of well-known models, in tokens, for `model.context_length` where it is not set. */

/** By the beginning of the id, without the vendor that routers put before it. The first one that fits. */
const KNOWN: readonly (readonly [beginning: string, tokens: number])[] = [
  ["claude-", 200_000],
  ["gpt-5", 272_000],
  ["gpt-4.1", 1_047_576],
  ["gpt-4o", 128_000],
  ["o1", 200_000],
  ["o3", 200_000],
  ["o4-mini", 200_000],
  ["gemini-2.5", 1_048_576],
];

/** Undefined for a model that is not known. */
export function knownContextLength(id: string): number | undefined {
  const name = id.slice(id.lastIndexOf("/") + 1).toLowerCase();
  return KNOWN.find(([beginning]) => name.startsWith(beginning))?.[1];
}
