import { textWidth } from "./text-width.ts";

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

function padded(cell: string, width: number): string {
  return cell + " ".repeat(width - textWidth(cell));
}

/** Width of a list that is not printed on a terminal. */
const ELSEWHERE = 200;
/** A last column narrower than this would say nothing: the line is too long then. */
const NARROWEST = 20;

/**
 * The columns that are left for the last cell of a list's rows, when the others are padded. Into a pipe a list is as
 * wide as on a very wide terminal.
 */
export function roomForLast(rows: readonly (readonly string[])[], width = process.stdout.columns ?? ELSEWHERE): number {
  const others = Math.max(0, ...columns(rows.map((row) => [...row, "x"])).map((line) => textWidth(line) - 1));
  return Math.max(NARROWEST, width - others);
}
