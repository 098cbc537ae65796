/**
 * What a terminal would interpret or hide: escape sequences, bidi marks, characters without a glyph (fillers, variation
 * selectors, tags), line breaks, unusual spaces, blank symbols, and marks piled on marks.
 */
let hidden: RegExp | undefined;
const hiddenCharacters = () =>
  (hidden ??=
    /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{16FE4}\u{1D159}]|(?! )\p{Zs}|(?<=\p{M}{3})\p{M}/gu);
/** Printable ASCII has none of them. Most texts are that, and V8 takes 1 ms to make the long pattern. */
const PLAIN = /^[ -~]*$/;

/** Makes text safe to show before a decision: hidden characters are escaped. */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : text.replaceAll(hiddenCharacters(), escapeCharacter);
}

/** The same for a command: blanks that could hide a part of it, or that the eye misses, show too. */
export function visibleCommand(command: string): string {
  return visible(command).replaceAll(/ {2,}|^ | $/g, showBlanks);
}

/** The same for a line of a script: its tabs and indentation stay, wide gaps are shortened. */
export function visibleLine(line: string): string {
  const [text = ""] = line.split(/\r$/);
  const parts = text.split("\t").map(visible);
  return parts.join("    ").replaceAll(/ {40,}/g, showBlanks) + (line === text ? "" : "\\r");
}

/** A mark for each blank, or, for many, one mark and their number. */
function showBlanks({ length }: string): string {
  return length > 8 ? `␣{${length}}` : "␣".repeat(length);
}

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}
