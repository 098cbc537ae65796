/** Rows in columns as wide as their widest cell; columns that are empty in every row are left out. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head
    .keys()
    .filter((column) => rows.some((row) => row[column] !== ""))
    .toArray();
  const widths = used.map((column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      used
        .map((column, place) => (row[column] ?? "").padEnd(widths[place] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
