/** The colours of the conversation, and none with `NO_COLOR`. */
import { inStyle, STYLES, type Style } from "#core/styled-text";

export type Paint = (text: string) => string;

export type Palette = Readonly<Record<Style, Paint>> & { readonly isColored: boolean };

/** The palette; `isColored` is false where `NO_COLOR` is set. */
export function createPalette(isColored: boolean): Palette {
  const paints = STYLES.map((style) => [style, (text: string) => (isColored ? inStyle(text, style) : text)]);
  return { ...(Object.fromEntries(paints) as Record<Style, Paint>), isColored };
}
