/** Characters that end lines for some readers of our text, and for some writers of scripts. */

import { quoteWord } from "./shell-quote.ts";

/** Why a script with CRLF in its `#!` line cannot start, and what to do about it, as a clause. */
export function windowsLineEndings(file: string): string {
  return `${file} has Windows line endings, so its interpreter is not found (run: sed -i 's/\\r$//' ${quoteWord(file)})`;
}

/**
 * JSON text without the characters that JSON may hold but that many readers of lines take for the end of one:
 * U+2028, U+2029 and U+0085 become escapes, which mean the same.
 */
export function escapeLineEnds(json: string): string {
  return /[\u2028\u2029\u0085]/.test(json) ? json.replaceAll(/[\u2028\u2029\u0085]/g, escape) : json;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
