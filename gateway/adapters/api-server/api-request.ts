/** A request for an answer, whichever route it came to, and what the routes read alike. */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { ChatImage, ChatMessage } from "#core/messages";
import { isMapping } from "#core/mapping";
import { isDeeperThan } from "#core/untrusted-json";
import { headerText } from "./header-text.ts";
import { badRequest } from "./problem.ts";

export interface ApiRequest {
  /** The user's message. */
  readonly text: string;
  readonly images: readonly ChatImage[];
  /** The client's instructions; empty when there are none. */
  readonly instructions: string;
  /** The conversation's name, or null: then the request's own messages are the whole conversation. */
  readonly name: string | null;
  /** What may be the id of the session to continue. */
  readonly sessionId: string | null;
  /** The earlier messages; null for a named conversation, whose history we store. */
  readonly history: readonly ChatMessage[] | null;
  readonly stream: boolean;
  /** The client's own id of the request: sending it twice is one message. */
  readonly idempotencyKey: string | null;
}

export type Fields = Readonly<Record<string, unknown>>;

const LONGEST_NAME = 200;
const DEEPEST = 64;
/** No control characters and no lone surrogates, because the name appears in logs, keys and events. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;
/** What joins visible characters to one, as in an emoji of a family. */
const JOINERS = /[\u200c\u200d]|(?<=\p{Emoji_Presentation})[\u{e0020}-\u{e007f}]+/gu;

/** Throws a RequestProblem when the body is not an object, or too deep. */
export function checkBody(body: unknown): asserts body is Fields {
  if (!isMapping(body)) throw badRequest("The body must be a JSON object.");
  if (isDeeperThan(body, DEEPEST)) throw badRequest(`The body is nested deeper than ${DEEPEST} levels.`);
}

/** The headers that all routes know. */
export function readHeaders(headers: IncomingHttpHeaders): { session: string | null; idempotencyKey: string | null } {
  return {
    session: readName(headerText(headers["x-hermes-session-id"]), "X-Hermes-Session-Id"),
    idempotencyKey: readName(headerText(headers["idempotency-key"]), "Idempotency-Key"),
  };
}

/** An empty name means none, because clients send their default. */
export function readName(value: unknown, where: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw badRequest(`${where} must be a string.`);
  const name = value.trim();
  if (name === "") return null;
  if (name.length > LONGEST_NAME) throw badRequest(`${where} is longer than ${LONGEST_NAME} characters.`);
  if (!PRINTABLE.test(name.replaceAll(JOINERS, ""))) {
    throw badRequest(`${where} must only contain printable characters.`);
  }
  return name;
}

export function readFlag(value: unknown, where: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw badRequest(`${where} must be true or false.`);
  return value;
}

/** The name of a conversation that has none: the same for all requests with this beginning. */
export function derivedName({ instructions, history, text, images }: ApiRequest): string {
  const first = history?.find(({ role }) => role === "user") ?? { role: "user", content: text, images };
  const seen = [first.content, first.role === "user" ? (first.images ?? []) : []];
  return `api-${digest([instructions, ...seen]).slice(0, 16)}`;
}

/** The same for requests that ask for the same; whether the answer is streamed does not matter. */
export function fingerprint(route: string, body: Fields): string {
  const { stream: _stream, stream_options: _options, ...asked } = body;
  return digest([route, sorted(asked)]);
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMapping(value)) return value;
  const names = Object.keys(value).toSorted();
  return names.map((name) => [name, sorted(value[name])]);
}
