/** Lines of text with colours, as data: what they say is decided apart from whether a terminal shows colours. */
import { isatty } from "node:tty";
import { terminalText } from "./terminal-text.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export type StyledLine = readonly Span[];

/** The codes that switch a style on and off (ECMA-48, SGR). */
const CODES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** One piece of text in a style. */
export function styled(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}

/** True where colours are shown: on a terminal that understands them, without `NO_COLOR` (CONTRACT §3). */
export function showsColors(descriptor: 1 | 2): boolean {
  return isatty(descriptor) && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
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
      if (!isColored || style === undefined || safe === "") return safe;
      const [on, off] = CODES[style];
      return `\u001b[${on}m${safe}\u001b[${off}m`;
    })
    .join("");
}
