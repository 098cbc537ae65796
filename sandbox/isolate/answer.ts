/** Validates the answers of handlers in isolates; nothing they send is trusted. */
import { SIZE_LIMITS } from "./limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Parses an answer's JSON. Throws an error whose message says what is wrong with it. */
export function readAnswer(text: string): unknown {
  if (Buffer.byteLength(text) > SIZE_LIMITS.answer)
    throw new Error(`its answer is larger than ${SIZE_LIMITS.answer} bytes`);
  if (isDeeperThan(text, SIZE_LIMITS.answerDepth)) {
    throw new Error(`its answer is nested more than ${SIZE_LIMITS.answerDepth} levels deep`);
  }
  // A key that would change the prototype of any object the answer is copied to. It may contain an escape.
  const mayPoison = text.includes("__proto__") || text.includes("\\u00");
  return JSON.parse(text, mayPoison ? withoutProto : undefined);
}

function withoutProto(this: unknown, key: string, value: unknown): unknown {
  return key === "__proto__" ? undefined : value;
}

/** Whether brackets outside strings are nested deeper. JSON.parse has no limit, but code that uses the value does. */
function isDeeperThan(json: string, most: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < json.length; index++) {
    const character = json.charCodeAt(index);
    if (inString) {
      if (character === BACKSLASH) index += 1;
      else if (character === QUOTE) inString = false;
    } else if (character === QUOTE) inString = true;
    else if (OPENING.has(character)) depth += 1;
    else if (CLOSING.has(character)) depth -= 1;
    if (depth > most) return true;
  }
  return false;
}
