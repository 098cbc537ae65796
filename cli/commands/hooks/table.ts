import { columns } from "#cli/columns";

/** A table as text, its head above the rows; columns that are empty in every row are left out. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = [...head.keys()].filter((column) => rows.some((row) => row[column] !== ""));
  return columns([head, ...rows].map((row) => used.map((column) => row[column] ?? ""))).join("\n");
}
