/** Long texts in pieces that Telegram takes. */

/** The most that one message holds, in UTF-16 units. */
const LONGEST_PIECE = 4096;

/**
 * The text in pieces of at most `longest` units: cut at a blank line, a line's end or a space in the second half of a
 * piece, else in the middle of a word, never inside a surrogate pair. The white space at a cut goes; pieces of nothing
 * but white space, which Telegram refuses, are left out.
 */
export function splitText(text: string, longest: number = LONGEST_PIECE): string[] {
  const pieces: string[] = [];
  // Half a pair is no text; JSON would carry it and Telegram refuse it.
  let rest = text.toWellFormed();
  while (rest.length > longest) {
    const end = cutAt(rest, longest);
    pieces.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).replace(/^[ \t]*\n|^ +/, "");
  }
  pieces.push(rest);
  return pieces.filter((piece) => piece.trim() !== "");
}

function cutAt(text: string, longest: number): number {
  // A space or line's end just behind the piece is as good a cut as one inside.
  const window = text.slice(0, longest + 1);
  for (const border of ["\n\n", "\n", " "]) {
    const at = window.lastIndexOf(border);
    if (at > longest / 2) return at;
  }
  const code = text.charCodeAt(longest - 1);
  const isHalf = code >= 0xd800 && code <= 0xdbff;
  return isHalf && longest > 1 ? longest - 1 : longest;
}
