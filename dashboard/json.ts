/** Parses untrusted JSON: checks the nesting before building anything, and keeps keys from reaching a prototype. */

/** Deeper values are refused, because code that walks them later uses the call stack. */
export const DEEPEST = 100;
/** A value costs about 60 bytes per level, so a body of brackets only is not even built. */
const DEEPEST_BUILT = 200_000;

/** Keys that could target a prototype, plain or with escaped letters. */
const SUSPECT = /__proto__|constructor|\\u00[4-7]/i;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

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
  return { value: JSON.parse(document), deep: depth > DEEPEST, suspect: SUSPECT.test(document) };
}

/** The deepest nesting of arrays and objects in the text, ignoring brackets inside strings. */
function depthOfText(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE: {
        index = endOfString(text, index);
        break;
      }
      case 0x5b: // [
      case 0x7b: {
        // {
        depth++;
        if (depth > deepest) deepest = depth;
        break;
      }
      case 0x5d: // ]
      case 0x7d: {
        // }
        depth--;
        break;
      }
      default:
    }
  }
  return deepest;
}

/** The end of the string that starts at `start`; the text's end when it is not closed. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/** True for a value that nests deeper than {@link DEEPEST}. Does not recurse. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const inner: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      if (depth >= DEEPEST) return true;
      // Not with a spread: a long list would overflow the call stack.
      for (const one of Object.values(item)) inner.push(one);
    }
    level = inner;
  }
  return false;
}

/** Removes the keys `__proto__` and `constructor.prototype` at every level of a value that is not too deep. */
export function dropPrototypeKeys(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) dropPrototypeKeys(item);
    return;
  }
  const object = value as Record<string, unknown>;
  if (Object.hasOwn(object, "__proto__")) delete object["__proto__"];
  const made: unknown = Object.hasOwn(object, "constructor") ? object["constructor"] : undefined;
  if (typeof made === "object" && made !== null && Object.hasOwn(made, "prototype")) {
    delete (made as Record<string, unknown>)["prototype"];
    if (Object.keys(made).length === 0) delete object["constructor"];
  }
  for (const item of Object.values(object)) dropPrototypeKeys(item);
}
