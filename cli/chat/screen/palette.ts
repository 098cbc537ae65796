/**
 * The colours of the conversation: those of the terminal's own palette, and none with `NO_COLOR`. Blue is left out,
 * because many terminals show it too dark on black.
 */
export type Paint = (text: string) => string;

export interface Palette {
  readonly isColoured: boolean;
  readonly faint: Paint;
  readonly bold: Paint;
  readonly italic: Paint;
  readonly underline: Paint;
  readonly strike: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly magenta: Paint;
  readonly cyan: Paint;
}

/** The palette; `isColoured` is false where `NO_COLOR` is set. */
export function createPalette(isColoured: boolean): Palette {
  const sgr = (on: number, off: number): Paint =>
    isColoured ? (text) => (text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`) : (text) => text;
  return {
    isColoured,
    faint: sgr(2, 22),
    bold: sgr(1, 22),
    italic: sgr(3, 23),
    underline: sgr(4, 24),
    strike: sgr(9, 29),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    magenta: sgr(35, 39),
    cyan: sgr(36, 39),
  };
}
