/** Lays out text for a terminal of a given width. */

/** Wider than this, names stand beside their values; in a narrow terminal above them. */
const WIDE = 60;
const NAME_COLUMNS = 15;

/** Rows of a name and a value, cut into lines of at most `columns`; nothing of a value is left out. */
export function layOutRows(rows: readonly (readonly [name: string, value: string])[], columns: number): string[] {
  return rows.flatMap(([name, value]) => {
    if (columns < WIDE) {
      const line = wrap(`${name}: ${value}`, columns, "  ");
      return line.length === 1 ? line : [`  ${name}:`, ...wrap(value, columns, "    ")];
    }
    const [first = "", ...more] = wrap(value, columns, " ".repeat(NAME_COLUMNS));
    return [`  ${name}`.padEnd(NAME_COLUMNS) + first.slice(NAME_COLUMNS), ...more];
  });
}

/** A text in lines of at most `columns`, broken at blanks where there are any, each line behind `margin`. */
export function wrap(text: string, columns: number, margin = ""): string[] {
  const room = Math.max(columns - margin.length - 1, 10);
  const lines: string[] = [];
  let rest = Array.from(text);
  while (rest.length > 0) {
    const fitting = countFitting(rest, room);
    const blank = fitting < rest.length ? rest.lastIndexOf(" ", fitting - 1) : -1;
    const cut = blank > room / 2 ? blank + 1 : fitting;
    lines.push(margin + rest.slice(0, cut).join(""));
    rest = rest.slice(cut);
  }
  return lines.length === 0 ? [margin] : lines;
}

/** Characters beyond ASCII may be two columns wide. */
function countFitting(characters: readonly string[], room: number): number {
  let used = 0;
  for (const [index, character] of characters.entries()) {
    used += (character.codePointAt(0) ?? 0) < 0x80 ? 1 : 2;
    if (used > room) return Math.max(index, 1);
  }
  return characters.length;
}
