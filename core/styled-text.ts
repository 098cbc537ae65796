/** Lines of text with colours, as data: what they say is decided apart from whether a terminal shows colours. */
import { isTerminal } from "./is-terminal.ts";
import { terminalText } from "./terminal-text.ts";

/**
 * The codes that switch a style on and off (ECMA-48, SGR). Terminals show their own cyan, green and yellow too light on
 * white and their blue too dark on black, and do not say which background they have: these are of the 256 colours that
 * terminals share, and are readable on both. One with fewer colours keeps its yellow for what failed.
 */
const STYLE_CODES = {
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  strike: [9, 29],
  red: [31, 39],
  green: ["38;5;28", 39],
  yellow: ["33m\u001b[38;5;130", 39],
  magenta: [35, 39],
  cyan: ["38;5;30", 39],
} as const;

export type Style = keyof typeof STYLE_CODES;

export const STYLES = Object.keys(STYLE_CODES) as readonly Style[];

export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export type StyledLine = readonly Span[];

/** One piece of text in a style. */
export function styled(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}

/** True where colours are shown: on a terminal that understands them, without `NO_COLOR` (CONTRACT §3). */
export function showsColors(descriptor: 1 | 2): boolean {
  return isTerminal(descriptor) && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

/** The text of a line, without its styles. */
export function plainText(line: StyledLine): string {
  return line.map(({ text }) => text).join("");
}

/** A line for a terminal, without the control characters that its texts may hold. */
export function paint(line: StyledLine, isColored: boolean): string {
  return line
    .map(({ text, style }) => {
      const safe = terminalText(text);
      if (!isColored || style === undefined) return safe;
      return inStyle(safe, style);
    })
    .join("");
}

/** A text between the codes of a style; an empty one stays empty. */
export function inStyle(text: string, style: Style): string {
  const [on, off] = STYLE_CODES[style];
  return text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`;
}
