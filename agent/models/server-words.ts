/** What a server says about a failed request. */
import { isMapping } from "#core/mapping";
import { parseJson } from "#core/parse-json";

/** The message of an error in JSON. Packages know their own provider's form alone, and give the status text instead. */
export function wordsIn(body: unknown): string | undefined {
  const document = typeof body === "string" ? parseJson(body) : undefined;
  if (!isMapping(document)) return undefined;
  const { error, message, detail } = document;
  const words = [isMapping(error) ? error["message"] : error, message, detail];
  return words.find((one): one is string => typeof one === "string" && one !== "");
}
