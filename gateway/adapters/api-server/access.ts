/** Access control: requires the bearer key; without a key, allows only programs on this machine, never web pages. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "#core/loopback";
import { headerText } from "./header-text.ts";
import { RequestProblem } from "./problem.ts";

/** True for a loopback address, and for its names. */
export function isLocal(host: string): boolean {
  return isLoopback(host) || host.toLowerCase().endsWith(".localhost");
}

/**
 * Creates the check of a request's headers. With a key: `Authorization: Bearer KEY`, else 401. Without: a loopback
 * `Host` (against DNS rebinding, which sends the page's own name) and no foreign `Origin`, else 403.
 */
export function createAccessCheck(key: string): (headers: IncomingHttpHeaders) => void {
  if (key === "") return checkLocal;
  const expected = digest(key);
  return ({ authorization }) => {
    const given = /^bearer +(.*)$/i.exec(headerText(authorization) ?? "")?.[1];
    // timingSafeEqual needs equal lengths, which digests have.
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    const message = given === undefined ? "Authorization: Bearer KEY is missing." : "The key is wrong.";
    throw new RequestProblem(401, "invalid_api_key", message, { "www-authenticate": "Bearer" });
  };
}

function checkLocal({ host, origin }: IncomingHttpHeaders): void {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host ?? "")?.[1] ?? "";
  if (!isLocal(name)) throw forbidden(`The host "${name}" is not a loopback name.`);
  if (origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase()) return;
  throw forbidden("Web pages may not use this server.");
}

function forbidden(message: string): RequestProblem {
  return new RequestProblem(403, "forbidden", message);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
