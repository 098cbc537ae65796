/** How wide text is on a terminal, and one line of it that fits. */
import { visible } from "#allowlist/visible";

let segmenter: Intl.Segmenter | undefined;
const EMOJI = /^\p{RGI_Emoji}$/v;
/** Characters that terminals draw in two columns: of East Asian scripts, and the full-width forms. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Yi}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const ASCII = /^[ -~]*$/;
/** Longer graphemes are letters with marks piled on them; more of a text is never looked at for a line. */
const MOST_PER_COLUMN = 16;

/** Made when first needed: it takes as long as a third of a start, and most text is ASCII. */
function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** The columns of a terminal that a text takes. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  return EMOJI.test(grapheme) || WIDE.test(grapheme) ? 2 : 1;
}

/**
 * A text as one line of at most `columns`: blanks and line ends become one blank, what a terminal would interpret or
 * hide is escaped, whole emoji stay, and `…` marks that there was more.
 */
export function fitLine(text: string, columns: number): string {
  const start = text.trimStart().slice(0, columns * MOST_PER_COLUMN);
  const isCut = start.length < text.trim().length;
  let [shown, width] = ["", 0];
  for (const { segment } of graphemesOf(start.replaceAll(/\s+/g, " ").trimEnd())) {
    const piece = EMOJI.test(segment) ? segment : visible(segment);
    width += textWidth(piece);
    shown += piece;
    if (width > columns) break;
  }
  return width > columns || isCut ? `${cutTo(shown, columns - 1)}…` : shown;
}

/** The beginning of a text that takes at most so many columns. */
function cutTo(text: string, columns: number): string {
  let [kept, width] = ["", 0];
  for (const { segment } of graphemesOf(text)) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    kept += segment;
  }
  return kept.trimEnd();
}
