/** Below this length, a secret would also be found in ordinary words. */
const SHORTEST_SECRET = 4;

/** Creates a function that removes the secrets from a text, also as they are written in URLs. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.flatMap((secret) =>
    secret.length < SHORTEST_SECRET ? [] : [secret, encodeURIComponent(secret)],
  );
  const unique = [...new Set(forms)];
  return (text) => unique.reduce((clean, form) => clean.replaceAll(form, "[redacted]"), text);
}
