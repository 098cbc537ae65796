/** Creates and compares secrets, and limits guessing. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { BoundedMap } from "./bounded-map.ts";

/** 256 bits, in characters that need no escaping in a URL or a header. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** The form in which secrets are compared: always of equal length, so that timing reveals nothing. */
export function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

export function isSame(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b);
}

/** The token of the only `Authorization: Bearer` header; undefined without one, "" when it is malformed. */
export function bearerOf(request: IncomingMessage): string | undefined {
  const headers = request.headersDistinct["authorization"];
  if (headers === undefined) return undefined;
  return (headers.length === 1 && /^Bearer +([!-~]+) *$/i.exec(headers[0]!)?.[1]) || "";
}

const MOST_GUESSES = 20;
const WINDOW_MS = 1000;
const MOST_ADDRESSES = 1024;

/** Counts wrong secrets: at most 20 a second from one address. */
export class GuessLimiter {
  readonly #guesses = new BoundedMap<string, number[]>(MOST_ADDRESSES);
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Records a wrong secret. True when there were too many. Never called for a right one. */
  isTooMany(address: string): boolean {
    const now = this.#now();
    const recent = (this.#guesses.get(address) ?? []).filter((at) => now - at < WINDOW_MS);
    if (recent.length >= MOST_GUESSES) return true;
    recent.push(now);
    this.#guesses.set(address, recent);
    return false;
  }
}
