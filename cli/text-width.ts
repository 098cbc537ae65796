/** How wide text is on a terminal, and one line of it that fits. */
import { visible } from "#allowlist/visible";
import { terminalText } from "#core/terminal-text";

/** Made when first needed: together they take as long as a third of a start, and most text is ASCII. */
let segmenter: Intl.Segmenter | undefined;
let emoji: RegExp | undefined;
let wide: RegExp | undefined;

const WIDE_SCRIPTS = String.raw`\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Yi}`;
const ASCII = /^[ -~]*$/;
/** Longer graphemes are letters with marks piled on them; more of a text is never looked at for a line. */
const MOST_PER_COLUMN = 16;

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
  return isEmoji(grapheme) || isWide(grapheme) ? 2 : 1;
}

function isEmoji(grapheme: string): boolean {
  // As a literal it would be made when this file is loaded.
  emoji ??= new RegExp(String.raw`^\p{RGI_Emoji}$`, "v");
  return emoji.test(grapheme);
}

/** Whether terminals draw a character in two columns: those of East Asian scripts, and the full-width forms. */
function isWide(grapheme: string): boolean {
  wide ??= new RegExp(String.raw`^[${WIDE_SCRIPTS}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]`, "u");
  return wide.test(grapheme);
}

/**
 * A text as one line of at most `columns`: blanks and line ends become one blank, what a terminal would interpret or
 * hide is escaped, whole emoji stay, and `…` marks that there was more.
 */
export function fitLine(text: string, columns: number): string {
  const start = text.trimStart().slice(0, columns * MOST_PER_COLUMN);
  const isCut = start.length < text.trim().length;
  return fit(start.replaceAll(/\s+/g, " ").trimEnd(), columns, isCut);
}

/**
 * A line of a file or of output in at most `columns`: as {@link fitLine}, but its blanks stay, tabs become four of them,
 * and escape sequences are removed, because they coloured it.
 */
export function clipLine(line: string, columns: number): string {
  const start = line.slice(0, columns * MOST_PER_COLUMN);
  const shown = terminalText(start).replaceAll("\t", "    ").replaceAll("\n", " ").trimEnd();
  return fit(shown, columns, start.length < line.trimEnd().length);
}

function fit(line: string, columns: number, isCut: boolean): string {
  let [shown, width] = ["", 0];
  for (const { segment } of graphemesOf(line)) {
    const piece = isEmoji(segment) ? segment : visible(segment);
    width += textWidth(piece);
    shown += piece;
    if (width > columns) break;
  }
  return width > columns || isCut ? `${cutTo(shown, columns - 1)}…` : shown;
}

/** A text in lines of at most so many columns, broken at blanks, and within words that are longer, there behind a slash, bar or comma if there is one. Its indentation stays. */
export function wrapWords(text: string, columns: number): readonly string[] {
  if (textWidth(text) <= columns) return [text];
  const [indent] = /^ */.exec(text)!;
  const room = Math.max(1, columns - indent.length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.trim().split(/ +/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer) <= room) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (textWidth(line) > room) {
      const whole = cutTo(line, room);
      const mark = Math.max(...["/", "|", ","].map((each) => whole.lastIndexOf(each))) + 1;
      const start = mark > whole.length / 2 ? whole.slice(0, mark) : whole;
      // A single character may be wider than the column.
      if (start === "") break;
      lines.push(start);
      line = line.slice(start.length);
    }
  }
  return [...lines, line].map((each) => indent + each);
}

/** A text in lines of at most so many columns, broken as by {@link wrapWords}; all but the first are indented by `hang`. */
export function wrapHanging(text: string, columns: number, hang: number): readonly string[] {
  if (textWidth(text) <= columns || hang >= text.length) return wrapWords(text, columns);
  // On a very narrow terminal the words need the room.
  const indent = Math.min(hang, Math.floor(columns / 2));
  const head = text.slice(0, hang).slice(-indent);
  const [first = "", ...rest] = wrapWords(text.slice(hang), columns - Math.max(indent, textWidth(head)));
  return [head + first, ...rest.map((line) => " ".repeat(indent) + line)];
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
