/** The url of the database that several machines share (CONTRACT §16). */

/** Letters that a name has without quotes; pg_notify takes names of up to 63. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,39}$/;

/** What is wrong with a url, in a sentence without what may be secret in it; null for a good one. */
export function databaseUrlProblem(url: string): string | null {
  const expected = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";
  if (!URL.canParse(url)) return `this is not a url; expected ${expected}`;
  const { protocol, pathname, searchParams } = new URL(url);
  if (protocol !== "postgres:" && protocol !== "postgresql:")
    return `${protocol}// is not a database that hermes can use; expected ${expected}`;
  if (pathname.length < 2) return `the name of the database is missing; expected ${expected}`;
  const schema = searchParams.get("schema");
  if (schema !== null && !SCHEMA.test(schema))
    return `a schema's name has lower-case letters, digits and _, and at most 40 of them: ${JSON.stringify(schema)}`;
  return null;
}

/** Where the url leads, without user and password: `HOST:PORT/DATABASE`. */
export function shownDatabase(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  // A socket's folder is given as a parameter.
  const host = hostname || (searchParams.get("host") ?? "localhost");
  return `${host}${port === "" ? "" : `:${port}`}${pathname}`;
}
