/**
 * The colours of the conversation, and none with `NO_COLOR`. Terminals show their own cyan, green and yellow too light on
 * white and their blue too dark on black, and do not say which background they have: these are readable on both.
 */
import { inStyle, STYLES, type Style } from "#core/styled-text";

export type Paint = (text: string) => string;

export type Palette = Readonly<Record<Style, Paint>> & { readonly isColored: boolean };

/** Of the 256 colours that terminals share. */
const READABLE: Partial<Readonly<Record<Style, number>>> = { cyan: 30, green: 28, yellow: 130 };

/** The palette; `isColored` is false where `NO_COLOR` is set. */
export function createPalette(isColored: boolean): Palette {
  const paints = STYLES.map((style) => [style, (text: string) => (isColored ? painted(text, style) : text)]);
  return { ...(Object.fromEntries(paints) as Record<Style, Paint>), isColored };
}

function painted(text: string, style: Style): string {
  const color = READABLE[style];
  return color === undefined || text === "" ? inStyle(text, style) : `\u001b[38;5;${color}m${text}\u001b[39m`;
}
