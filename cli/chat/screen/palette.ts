/** The colours of the conversation, and none with `NO_COLOR`. */
import { inStyle, STYLES, type Style } from "#core/styled-text";

export type Paint = (text: string) => string;

export type Palette = Readonly<Record<Style, Paint>> & { readonly isColored: boolean };

/** In place of yellow, which is a warning elsewhere and too light for text on white (of the 256 colours). */
const OCHRE = 130;

/** The palette; `isColored` is false where `NO_COLOR` is set. */
export function createPalette(isColored: boolean): Palette {
  const paints = STYLES.map((style) => [style, (text: string) => (isColored ? painted(text, style) : text)]);
  return { ...(Object.fromEntries(paints) as Record<Style, Paint>), isColored };
}

function painted(text: string, style: Style): string {
  return style === "yellow" && text !== "" ? `\u001b[38;5;${OCHRE}m${text}\u001b[39m` : inStyle(text, style);
}
