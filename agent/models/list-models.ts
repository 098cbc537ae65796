/** Asks a model's server which models it has. */
import { createRedactor } from "#core/home/redact";
import { isMapping } from "#core/mapping";
import { parseJson } from "#core/parse-json";
import { problemOf } from "#core/errors";
import { truncate } from "#core/truncate";
import type { Provider } from "./select.ts";
import { wordsIn } from "./server-words.ts";

export interface ModelListRequest {
  readonly provider: Provider;
  /** The API's base URL, up to and including `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
}

/** `refused`: the server does not accept the key. `unlisted`: it answers, but with no list. */
export type ModelList =
  | { readonly kind: "listed"; readonly ids: readonly string[] }
  | { readonly kind: "refused" | "unreachable" | "unlisted"; readonly problem: string };

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST_PROBLEM = 300;
/** Ids are shown on a terminal and written to config.yaml. */
const PLAIN_ID = /^[\x21-\x7e]{1,200}$/;

/** The ids of the server's models, as it sorts them. Never rejects; the key is removed from what the server says. */
export async function listModels({ provider, baseUrl, apiKey }: ModelListRequest): Promise<ModelList> {
  const redact = createRedactor({}, apiKey === undefined ? [] : [apiKey]);
  const failed = (kind: "refused" | "unreachable" | "unlisted", problem: string) =>
    ({ kind, problem: truncate(redact(problem).replaceAll(/\s+/g, " "), LONGEST_PROBLEM) }) as const;
  let response: Response;
  try {
    response = await fetch(`${baseUrl}/models`, {
      headers: { accept: "application/json", ...keyHeaders(provider, apiKey) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    return failed("unreachable", reasonOf(error));
  }
  try {
    const text = await readText(response);
    if (response.ok) {
      const ids = idsIn(text);
      return ids === undefined ? failed("unlisted", "the answer is no list of models") : { kind: "listed", ids };
    }
    const kind = response.status === 401 || response.status === 403 ? "refused" : "unlisted";
    return failed(kind, `status ${response.status}: ${wordsIn(text) ?? text}`);
  } catch (error) {
    return failed("unlisted", reasonOf(error));
  }
}

function keyHeaders(provider: Provider, apiKey: string | undefined): Readonly<Record<string, string>> {
  if (apiKey === undefined) return {};
  if (provider === "anthropic") return { "x-api-key": apiKey, "anthropic-version": "2023-06-01" };
  return { authorization: `Bearer ${apiKey}` };
}

/** Node says `fetch failed`, and why in the cause. */
function reasonOf(error: unknown): string {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  if (name === "TimeoutError") return `nothing came for ${TIMEOUT_MS / 1000} s`;
  return problemOf(cause ?? error);
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error("the answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function idsIn(text: string): readonly string[] | undefined {
  const document = parseJson(text);
  const data = isMapping(document) ? document["data"] : undefined;
  if (!Array.isArray(data)) return undefined;
  return data
    .map((model: unknown) => (isMapping(model) ? model["id"] : undefined))
    .filter((id): id is string => typeof id === "string" && PLAIN_ID.test(id));
}
