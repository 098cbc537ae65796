/** The value of a JSON text; undefined for any other text, which the caller has itself. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: what that means is for the caller to say.
    return undefined;
  }
}
