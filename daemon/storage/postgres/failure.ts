/** What is said of a database that cannot be used. */

/** A text of the driver without the url's password, which some of them quote. */
export function withoutPassword(text: string, url: string): string {
  const { password } = new URL(url);
  return [password, decodeURIComponent(password)]
    .filter((secret) => secret !== "")
    .reduce((shown, secret) => shown.replaceAll(secret, "[redacted]"), text);
}
