/** Splits long texts into pieces that Telegram accepts. */

/** The maximum length of a message, in UTF-16 units. */
const LONGEST_PIECE = 4096;

/**
 * Splits the text into pieces of at most `longest` units: at a blank line, a line end or a space in the second half of
 * a piece, else in the middle of a word, but never inside a surrogate pair. Whitespace at a split is dropped, as are
 * pieces of only whitespace, which Telegram refuses.
 */
export function splitText(text: string, longest: number = LONGEST_PIECE): string[] {
  const pieces: string[] = [];
  // A lone surrogate is not valid text: JSON can encode it, but Telegram refuses it.
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
  // A space or line end right after the piece is as good as one inside it.
  const window = text.slice(0, longest + 1);
  for (const border of ["\n\n", "\n", " "]) {
    const at = window.lastIndexOf(border);
    if (at > longest / 2) return at;
  }
  const code = text.charCodeAt(longest - 1);
  const isHalf = code >= 0xd800 && code <= 0xdbff;
  return isHalf && longest > 1 ? longest - 1 : longest;
}
