/** What callers are told. An answer never holds what a script wrote to standard error. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { isMapping } from "#core/mapping";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
}

const TEXT = { "content-type": "text/plain; charset=utf-8" } as const;
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" } as const;

function textAnswer(status: number, body: string, headers: Answer["headers"] = {}): Answer {
  return { status, headers: { ...TEXT, ...headers }, body };
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}

/** The caller may try again after so many seconds. */
export function laterAnswer(status: number, body: string, seconds: number): Answer {
  return textAnswer(status, body, { "retry-after": String(seconds) });
}

export const ANSWERS = {
  ok: textAnswer(200, "ok"),
  duplicate: textAnswer(200, "duplicate"),
  nothing: { status: 204, headers: {}, body: "" } satisfies Answer,
  incomplete: textAnswer(400, "the body is incomplete"),
  unverified: textAnswer(401, "not verified"),
  notFound: textAnswer(404, "not found"),
  inFlight: laterAnswer(409, "a request with this id is being handled", 5),
  bodyTooLarge: textAnswer(413, "the body is too large"),
  targetTooLong: textAnswer(414, "the path and query are too long"),
  queueFull: laterAnswer(429, "too many requests are waiting", 5),
  headersTooLarge: textAnswer(431, "the headers are too large"),
  failed: textAnswer(500, "the script failed"),
  unapproved: laterAnswer(503, "the script is not approved", 60),
  inboxFull: laterAnswer(503, "too many messages are waiting", 30),
  stopping: laterAnswer(503, "stopping", 10),
  timeout: textAnswer(504, "the script took too long"),
} as const;

export function wrongMethod(allowed: readonly string[]): Answer {
  return textAnswer(405, "method not allowed", { allow: allowed.join(", ") });
}

/** What the output of a script with `respond: script` asks for. */
export interface ScriptAnswer {
  readonly answer: Answer;
  /** What to put into the inbox; null for nothing. */
  readonly inject: string | null;
}

const SHAPE_KEYS = ["status", "headers", "body", "inject"];
/** What only the server can say about a connection. */
const OWN_HEADERS = new Set(["connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"]);

/**
 * Reads an output: a JSON object with one of the keys `status`, `headers`, `body` and `inject` is the shape of the
 * answer, anything else is its body. A problem is a clause that says why the shape cannot be sent.
 */
export function readScriptAnswer(output: Buffer): ScriptAnswer | { readonly problem: string } {
  const shape = parseShape(output);
  if (shape === undefined) return { answer: { status: 200, headers: TEXT, body: output }, inject: null };
  const { status = 200, headers = {}, body, inject = null } = shape;
  const problem = findProblem({ status, headers, inject });
  if (problem !== null) return { problem };
  const isPlain = body === undefined || body === null || typeof body === "string";
  const untold = body === undefined && shape["status"] === undefined && inject !== null;
  const text = untold ? "ok" : isPlain ? (body ?? "") : JSON.stringify(body);
  const code = status as number;
  if ((code === 204 || code === 304) && text !== "") return { problem: `an answer with status ${code} has no body` };
  const type = text === "" ? {} : isPlain ? TEXT : JSON_TYPE;
  const own = Object.entries(headers as object).map(([name, value]) => [name.toLowerCase(), textsOf(value)] as const);
  return {
    answer: { status: code, headers: { ...type, ...Object.fromEntries(own) }, body: text },
    inject: typeof inject === "string" && inject.trim() !== "" ? inject : null,
  };
}

function parseShape(output: Buffer): Readonly<Record<string, unknown>> | undefined {
  const text = output
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trim();
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isMapping(value) && SHAPE_KEYS.some((key) => Object.hasOwn(value, key)) ? value : undefined;
  } catch {
    // Not JSON: the output is the body.
    return undefined;
  }
}

function findProblem({
  status,
  headers,
  inject,
}: Readonly<Record<"status" | "headers" | "inject", unknown>>): string | null {
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599)
    return "its status is not a whole number from 200 to 599";
  if (inject !== null && typeof inject !== "string") return "what it injects is not a string";
  if (!isMapping(headers)) return "its headers are not an object";
  for (const [name, value] of Object.entries(headers)) {
    if (OWN_HEADERS.has(name.toLowerCase())) return `the header ${JSON.stringify(name)} is not the script's to set`;
    const texts = [value].flat();
    if (!texts.every((one) => typeof one === "string" || typeof one === "number"))
      return `the header ${JSON.stringify(name)} is not a string`;
    try {
      validateHeaderName(name);
      for (const text of texts) validateHeaderValue(name, String(text));
    } catch {
      return `the header ${JSON.stringify(name)} has a character that headers cannot have`;
    }
  }
  return null;
}

function textsOf(value: unknown): string | readonly string[] {
  return Array.isArray(value) ? value.map(String) : String(value);
}
