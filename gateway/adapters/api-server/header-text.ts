/**
 * The text of a header. Node gives it byte by byte; what is UTF-8 is read so, that a header, a body and the
 * configuration can name the same thing.
 */
export function headerText(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(typeof value === "string" ? value : value.join(", "), "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : bytes.toString("latin1");
}
