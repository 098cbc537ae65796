/** Parses untrusted JSON: checks the nesting before building anything, and keeps keys from reaching a prototype. */
import { depthOfText, mayReachPrototype } from "#core/untrusted-json";

/** Deeper values are refused, because code that walks them later uses the call stack. */
export const DEEPEST = 100;
/** A value costs about 60 bytes per level, so a body of brackets only is not even built. */
const DEEPEST_BUILT = 200_000;

export interface ParsedJson {
  readonly value: unknown;
  /** True when the text nests deeper than {@link DEEPEST} somewhere, so each part must be checked. */
  readonly deep: boolean;
  /** True when a key could target a prototype. */
  readonly suspect: boolean;
}

/** Parses a document. Throws a SyntaxError or RangeError whose message says what is wrong with it. */
export function parseJson(text: string): ParsedJson {
  const document = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const depth = depthOfText(document);
  if (depth > DEEPEST_BUILT) throw new RangeError(`nested deeper than ${DEEPEST} levels`);
  return { value: JSON.parse(document), deep: depth > DEEPEST, suspect: mayReachPrototype(document) };
}
