/** Checks on JSON from others: how deep it nests, and whether its keys could reach a prototype. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The deepest nesting of arrays and objects in the text, ignoring brackets inside strings. */
export function depthOfText(text: string): number {
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

/** True for a value that nests deeper than `most` levels. Does not recurse. */
export function isDeeperThan(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const inner: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      if (depth >= most) return true;
      // Not with a spread: a long list would overflow the call stack.
      for (const one of Object.values(item)) inner.push(one);
    }
    level = inner;
  }
  return false;
}

/** Whether a key of the text could target a prototype, plain or with escaped letters. May be wrongly true. */
export function mayReachPrototype(text: string): boolean {
  return /__proto__|constructor|\\u00[4-7]/i.test(text);
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
