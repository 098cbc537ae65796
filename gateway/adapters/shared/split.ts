/** Splits long texts into pieces that a platform accepts; code blocks stay whole. */

interface CodeBlock {
  /** Where its first line starts. */
  readonly start: number;
  /** Where the line after its first one starts. */
  readonly body: number;
  /** The fence: ``` or ~~~, or longer. */
  readonly fence: string;
  /** Its first line, with the language. */
  readonly opening: string;
  /** Where its last line ends. */
  readonly end: number;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\n]*)$/;
/** Longer first lines of blocks are not repeated. */
const LONGEST_OPENING = 40;
/** A piece has at least this much code, or the block is cut like other text. */
const SMALLEST_ROOM = 40;

/**
 * Splits the text into pieces of at most `longest` UTF-16 units: at a blank line, a line end or a space in the second
 * half of a piece, else in the middle of a word, but never inside a surrogate pair. A code block that fits into a piece
 * is not split; one that does not is closed at the end of a piece and opened again in the next one, with its language.
 * Whitespace at a split is dropped, as are pieces of only whitespace, which platforms refuse.
 */
export function splitText(text: string, longest: number): string[] {
  const pieces: string[] = [];
  // A lone surrogate is not valid text: JSON can encode it, but platforms refuse it.
  let rest = text.toWellFormed();
  while (rest.length > longest) {
    const { piece, after } = cut(rest, longest);
    pieces.push(piece);
    rest = after;
  }
  pieces.push(rest);
  return pieces.filter((piece) => piece.trim() !== "");
}

function cut(text: string, longest: number): { readonly piece: string; readonly after: string } {
  const end = cutAt(text, longest);
  const block = blockAt(text, end);
  if (block === undefined) return cutBetween(text, end);
  if (block.end <= longest) return cutBetween(text, block.end);
  const before = text.slice(0, block.start);
  // The block starts in the next piece: whole, if it fits. A piece of only whitespace is dropped.
  if (block.start > 0) return { piece: before.trimEnd(), after: text.slice(block.start) };
  const closing = `\n${block.fence}`;
  const room = longest - closing.length - block.body;
  // Its first line leaves no room for code.
  if (room < SMALLEST_ROOM) return cutBetween(text, end);
  const line = cutLineAt(text, longest - closing.length, block.body);
  const opening = block.opening.length > LONGEST_OPENING ? block.fence : block.opening;
  return { piece: text.slice(0, line) + closing, after: `${opening}\n${text.slice(line).replace(/^\n/, "")}` };
}

function cutBetween(text: string, end: number): { readonly piece: string; readonly after: string } {
  return { piece: text.slice(0, end).trimEnd(), after: text.slice(end).replace(/^[ \t]*\n|^ +/, "") };
}

function cutAt(text: string, longest: number): number {
  // A space or line end right after the piece is as good as one inside it.
  const window = text.slice(0, longest + 1);
  for (const border of ["\n\n", "\n", " "]) {
    const at = window.lastIndexOf(border);
    if (at > longest / 2) return at;
  }
  return wholeCharacter(text, longest);
}

/** Where the last line of code ends that fits; in the middle of a line that is too long by itself. */
function cutLineAt(text: string, longest: number, body: number): number {
  const at = text.lastIndexOf("\n", longest);
  return at > body ? at : wholeCharacter(text, longest);
}

function wholeCharacter(text: string, longest: number): number {
  const code = text.charCodeAt(longest - 1);
  const isHalf = code >= 0xd800 && code <= 0xdbff;
  return isHalf && longest > 1 ? longest - 1 : longest;
}

/** The code block that a cut would break. */
function blockAt(text: string, place: number): CodeBlock | undefined {
  let open: Omit<CodeBlock, "end"> | undefined;
  for (let start = 0; start < text.length && (open !== undefined || start < place);) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end);
    const [, fence, info = ""] = FENCE.exec(line) ?? [];
    if (open === undefined) {
      const isOpening = fence !== undefined && !(fence.startsWith("`") && info.includes("`"));
      if (isOpening) open = { start, body: end + 1, fence, opening: line };
    } else if (fence?.startsWith(open.fence) && info.trim() === "") {
      if (end > place) return { ...open, end };
      open = undefined;
    }
    start = end + 1;
  }
  return open === undefined ? undefined : { ...open, end: text.length };
}
