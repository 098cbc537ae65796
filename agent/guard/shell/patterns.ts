/**
 * Texts with gaps: what a word of a command may become, without running anything. A gap is a character of Unicode's
 * private area, so that a text with gaps can be joined and cut like any other.
 */
import { truncate } from "#core/truncate";

/** `*`: any text without a slash that does not begin with a dot. Also the output of `date` and the like. */
export const ANY_RUN = "\uE000";
/** `?` and `[…]`. */
export const ANY_ONE = "\uE001";
/** Whatever a run could produce: a file's content, a cut variable. */
export const UNKNOWN = "\uE002";
/** The content of a file or of an address, as code: a script, which may do whatever a script may do. */
export const SCRIPT = "\uE007";
/** A relative path without `..`: what `find` and `git ls-files` print below a folder. */
export const BELOW = "\uE006";

/** One word: every text it may expand to. */
export type Word = readonly string[];

export const UNKNOWN_WORD: Word = [UNKNOWN];
/** More alternatives than this count as unknown. */
export const MAX_ALTERNATIVES = 64;

/** The first gap of a text. */
export const GAP = new RegExp(`[${ANY_RUN}${ANY_ONE}${UNKNOWN}${BELOW}${SCRIPT}]`);

export function hasGap(text: string): boolean {
  return GAP.test(text);
}

export function isUnknown(text: string): boolean {
  return text.includes(UNKNOWN) || text.includes(SCRIPT);
}

/** Distinct alternatives, or the unknown word when there are too many. */
export function wordOf(texts: Iterable<string>): Word {
  const distinct = [...new Set(texts)];
  return distinct.length > MAX_ALTERNATIVES ? UNKNOWN_WORD : distinct;
}

/** Every alternative of the one before every alternative of the other. */
export function joinWords(one: Word, other: Word): Word {
  if (one.length * other.length > MAX_ALTERNATIVES) return UNKNOWN_WORD;
  return wordOf(one.flatMap((start) => other.map((end) => start + end)));
}

/** An unquoted value as bash treats it: its `*`, `?` and `[…]` are wildcards. */
export function withGlobs(text: string): string {
  return text
    .replaceAll(/\[[^\]/\s]+\]/g, ANY_ONE)
    .replaceAll("*", ANY_RUN)
    .replaceAll("?", ANY_ONE);
}

/** A text in readable form: with its wildcards, shortened. */
export function show(text: string): string {
  const plain = text
    .replaceAll(new RegExp(`[${ANY_RUN}${UNKNOWN}${BELOW}${SCRIPT}]`, "g"), "*")
    .replaceAll(ANY_ONE, "?")
    .replaceAll("\n", " ");
  return truncate(plain, 200);
}

/**
 * Whether a shell pattern matches a file name; as in the shell, only a dot matches a leading dot. It uses two pointers
 * instead of a regular expression, so no pattern can make it slow.
 */
export function matchesSegment(pattern: string, name: string): boolean {
  if (name.startsWith(".") && (pattern.startsWith(ANY_RUN) || pattern.startsWith(ANY_ONE))) return false;
  const isRun = (at: number) => pattern[at] === ANY_RUN || pattern[at] === UNKNOWN || pattern[at] === BELOW;
  let at = 0;
  let read = 0;
  let star = -1;
  let starRead = 0;
  while (read < name.length) {
    if (isRun(at)) {
      star = at++;
      starRead = read;
    } else if (at < pattern.length && (pattern[at] === ANY_ONE || pattern[at] === name[read])) {
      at += 1;
      read += 1;
    } else if (star !== -1) {
      at = star + 1;
      read = ++starRead;
    } else return false;
  }
  while (isRun(at)) at += 1;
  return at === pattern.length;
}
