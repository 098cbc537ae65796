import { textWidth, wrapHanging } from "./text-width.ts";

/** With less room, what the last column says stands below its row. */
const LEAST_ROOM = 24;
const BELOW = 4;

/** Rows with their columns padded to one width. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, textWidth(cell))));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : padded(cell, widths[index] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** The same for a terminal of so many columns: the last cell is broken between words, and stays in its column. */
export function fittedColumns(rows: readonly (readonly string[])[], width: number): string[] {
  const lines = columns(rows);
  if (lines.every((line) => textWidth(line) <= width)) return lines;
  const start = Math.max(...columns(rows.map((row) => [...row.slice(0, -1), "|"])).map(textWidth)) - 1;
  if (width - start >= LEAST_ROOM) return lines.flatMap((line) => wrapHanging(line, width, start));
  return rows.flatMap((row) => [
    columns([row.slice(0, -1)]).join(""),
    ...wrapHanging(`${" ".repeat(BELOW)}${row.at(-1) ?? ""}`, width, BELOW),
  ]);
}

function padded(cell: string, width: number): string {
  return cell + " ".repeat(width - textWidth(cell));
}
