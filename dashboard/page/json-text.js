/** Formats JSON for display: indented, and split into tokens to colour. No DOM. */

/** @typedef {"key" | "string" | "number" | "word" | "plain"} PieceKind */
/** @typedef {{ kind: PieceKind, text: string }} Piece */

/** How much of a context is shown; "Copy" copies all of it. */
const MOST_SHOWN = 100_000;
/** Laying out more tokens would take too long. */
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
    // Not JSON: shown as it is.
    return text;
  }
}

/**
 * The tokens of an indented JSON text, and whether it was cut.
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
