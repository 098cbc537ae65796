/** Access control: requires the bearer key; without a key, allows only programs on this machine, never web pages. */
import type { IncomingMessage } from "node:http";
import { digestOf, GuessLimiter, isSame } from "#core/bearer";
import type { Log } from "#core/home/log";
import { isLoopback } from "#core/loopback";
import { OncePerMinute } from "#core/rare-log";
import { notListed } from "./cors.ts";
import { headerText } from "./header-text.ts";
import { RequestProblem } from "./problem.ts";

export interface AccessRules {
  /** Empty when there is no key. */
  readonly key: string;
  /** Whether pages of this origin may use the server. */
  readonly allowsOrigin: (origin: string) => boolean;
  readonly log: Log;
}

/** What a request with another key gets. */
export const WRONG_KEY = "The key is wrong.";

/** Throws a RequestProblem for a request that is not allowed. `address` is the client's. */
export type AccessCheck = (request: IncomingMessage, address: string) => void;

/**
 * Creates the check of a request, for use before its body is read. With a key: `Authorization: Bearer KEY`, else 401,
 * or 429 for an address that sends more than 20 wrong keys a second. Without: a loopback `Host` (against DNS rebinding,
 * which sends the page's own name) and no foreign `Origin` that is not
 * listed, else 403.
 */
export function createAccessCheck({ key, allowsOrigin, log }: AccessRules): AccessCheck {
  if (key === "") return (request) => checkLocal(request, allowsOrigin);
  const expected = digestOf(key);
  const limiter = new GuessLimiter();
  const rare = new OncePerMinute();
  return ({ headers }, address) => {
    const given = /^bearer +(.*)$/i.exec(headerText(headers.authorization) ?? "")?.[1];
    if (given === undefined) throw unauthorized("Authorization: Bearer KEY is missing.");
    if (isSame(digestOf(given), expected)) return;
    if (rare.isDue()) log.warn("api_server: a request had a wrong key", { address });
    if (!limiter.isTooMany(address)) throw unauthorized(WRONG_KEY);
    throw new RequestProblem(429, "rate_limit_exceeded", "Too many wrong keys. Wait a second.", { "retry-after": "1" });
  };
}

function unauthorized(message: string): RequestProblem {
  return new RequestProblem(401, "invalid_api_key", message, { "www-authenticate": "Bearer" });
}

function checkLocal({ headers: { host, origin } }: IncomingMessage, allowsOrigin: AccessRules["allowsOrigin"]): void {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host ?? "")?.[1] ?? "";
  if (!isLoopback(name)) throw forbidden(`The host "${name}" is not a loopback name.`);
  if (origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase()) return;
  if (!allowsOrigin(origin)) throw forbidden(notListed(origin));
}

function forbidden(message: string): RequestProblem {
  return new RequestProblem(403, "forbidden", message);
}
