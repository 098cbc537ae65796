import { closest, distance } from "fastest-levenshtein";

/**
 * The candidate the user most likely meant, or undefined when none is close: at most a third of its length
 * and three edits away, with at least half of the letters the same, ignoring case.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  if (all.length === 0 || word.length > 100) return undefined;
  const folded = word.toLowerCase();
  const found = closest(
    folded,
    all.map((candidate) => candidate.toLowerCase()),
  );
  const reach = Math.max(1, Math.min(3, Math.ceil(found.length / 3)));
  const edits = distance(folded, found);
  if (edits > reach || edits > Math.max(folded.length, found.length) / 2) return undefined;
  return all.find((candidate) => candidate.toLowerCase() === found);
}

/** ` Did you mean "x"?` with its leading space, or an empty string. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? "" : ` Did you mean "${found}"?`;
}
