/** One request as it came, and what scripts are given of it. */
import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import type { InboundHook } from "./hooks.ts";

export interface InboundRequest {
  readonly method: string;
  readonly path: string;
  /** What follows the question mark; empty without one. */
  readonly query: string;
  /** In the order in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Bytes of all headers together; one environment string may have 128 KiB. */
const MOST_HEADER_BYTES = 64 * 1024;
const MOST_TARGET_BYTES = 64 * 1024;

export function parseRequest(method: string, target: string, rawHeaders: readonly string[]): InboundRequest {
  // A proxy's request has the whole URL as its target.
  const local =
    /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target) === null ? target : target.replace(/^[^:]+:\/\/[^/?#]*/, "");
  const at = local.indexOf("?");
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index]!, asText(rawHeaders[index + 1]!)]);
  }
  const path = at === -1 ? local : local.slice(0, at);
  return { method, path: path === "" ? "/" : path, query: at === -1 ? "" : local.slice(at + 1), headers };
}

/** Node reads headers as Latin-1, but most senders write UTF-8. */
function asText(value: string): string {
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : value;
}

/** The status of a request that is too large for the environment of a script; undefined for all others. */
export function sizeProblem(target: string, rawHeaders: readonly string[]): 414 | 431 | undefined {
  // With ": " and the end of the line.
  const bytes = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  if (bytes > MOST_HEADER_BYTES) return 431;
  return target.length > MOST_TARGET_BYTES ? 414 : undefined;
}

/** The only value of a header; undefined without one, and for a repeated one, which nobody can mean. */
export function soleHeader({ headers }: InboundRequest, wanted: string): string | undefined {
  const found = headers.filter(([name]) => name.toLowerCase() === wanted);
  return found.length === 1 ? found[0]![1] : undefined;
}

/** The `HOOK_` variables of the seed. Of headers with one variable the values are joined in the order in which they came. */
export function hookVariables(
  hook: Pick<InboundHook, "name">,
  { method, path, query, headers }: InboundRequest,
  session: string,
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of headers) {
    const variable = `HOOK_HEADER_${name.toUpperCase().replaceAll("-", "_")}`;
    const before = variables[variable];
    variables[variable] = before === undefined ? value : `${before}, ${value}`;
  }
  const types = headers.filter(([name]) => name.toLowerCase() === "content-type").map(([, value]) => value);
  return {
    ...variables,
    HOOK_NAME: hook.name,
    HOOK_METHOD: method,
    HOOK_PATH: path,
    HOOK_QUERY: query,
    HOOK_CONTENT_TYPE: types.join(", "),
    HOOK_SESSION: session,
  };
}

/** What a repeated request has again, as a short text; null when nothing tells. */
export function dedupId(
  request: InboundRequest,
  { idHeaders, signature }: { readonly idHeaders: readonly string[]; readonly signature: string | null },
): string | null {
  for (const name of idHeaders) {
    const value = soleHeader(request, name);
    if (value !== undefined && value.trim() !== "") return shortId(`${name}:${value.trim()}`);
  }
  return signature === null ? null : shortId(`signature:${signature}`);
}

/** Senders may choose ids of any length. */
function shortId(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** The key of a request that is to be joined with others; null without one. */
export function coalesceKey(key: string, request: InboundRequest, body: Buffer): string | null {
  if (key.startsWith("header:")) return soleHeader(request, key.slice("header:".length).toLowerCase()) ?? null;
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    // Not JSON, so it has no such key: it becomes a message of its own.
    return null;
  }
  for (const part of key.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return null;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
