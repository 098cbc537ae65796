/**
 * The text of a header. Node returns one character per byte; UTF-8 is decoded, so that a header, a body and the
 * configuration can use the same names.
 */
export function headerText(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(typeof value === "string" ? value : value.join(", "), "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : bytes.toString("latin1");
}
