/** Validates the answers of handlers in isolates; nothing they send is trusted. */
import { depthOfText, dropPrototypeKeys, mayReachPrototype } from "#core/untrusted-json";
import { SIZE_LIMITS } from "./limits.ts";

/** Parses an answer's JSON. Throws an error whose message says what is wrong with it. */
export function readAnswer(text: string): unknown {
  if (Buffer.byteLength(text) > SIZE_LIMITS.answer)
    throw new Error(`its answer is larger than ${SIZE_LIMITS.answer} bytes`);
  if (depthOfText(text) > SIZE_LIMITS.answerDepth) {
    throw new Error(`its answer is nested more than ${SIZE_LIMITS.answerDepth} levels deep`);
  }
  const answer: unknown = JSON.parse(text);
  // The answer may be copied to other objects.
  if (mayReachPrototype(text)) dropPrototypeKeys(answer);
  return answer;
}
