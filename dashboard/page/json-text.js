/** JSON for people: indented, and in pieces that can be coloured. No DOM. */

/** @typedef {"key" | "string" | "number" | "word" | "plain"} PieceKind */
/** @typedef {{ kind: PieceKind, text: string }} Piece */

/** What is shown of a context; the rest is a click on "Copy" away. */
const MOST_SHOWN = 100_000;
/** More pieces than these would take longer to lay out than a person waits. */
const MOST_PIECES = 4000;

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\btrue\b|\bfalse\b|\bnull\b/g;

/**
 * A JSON text, indented.
 *
 * @param {string} text
 */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // No JSON: as it is.
    return text;
  }
}

/**
 * The pieces of an indented JSON text, and whether something was left out.
 *
 * @param {string} text
 * @returns {{ pieces: Piece[], isCut: boolean }}
 */
export function piecesOf(text) {
  const isCut = text.length > MOST_SHOWN;
  const shown = isCut ? text.slice(0, MOST_SHOWN).toWellFormed() : text;
  /** @type {Piece[]} */
  const pieces = [];
  let end = 0;
  for (const match of shown.matchAll(TOKEN)) {
    if (pieces.length >= MOST_PIECES) break;
    if (match.index > end) pieces.push({ kind: "plain", text: shown.slice(end, match.index) });
    const [token, string, colon] = match;
    pieces.push({ kind: kindOf(token, string, colon), text: string ?? token });
    end = match.index + (string ?? token).length;
  }
  if (end < shown.length) pieces.push({ kind: "plain", text: shown.slice(end) });
  return { pieces, isCut };
}

/**
 * @param {string} token
 * @param {string | undefined} string
 * @param {string | undefined} colon
 * @returns {PieceKind}
 */
function kindOf(token, string, colon) {
  if (string !== undefined) return colon === undefined ? "string" : "key";
  return /^[tfn]/.test(token) ? "word" : "number";
}
