/** Who may ask: the bearer key, and without one only programs of this machine, never a web page. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "#core/loopback";
import { headerText } from "./header-text.ts";
import { RequestProblem } from "./problem.ts";

/** True for an address of this machine that no other machine reaches, and for the names that stand for it. */
export function isLocal(host: string): boolean {
  return isLoopback(host) || host.toLowerCase().endsWith(".localhost");
}

/**
 * Makes the check of a request's headers. With a key: `Authorization: Bearer KEY`, else 401. Without: a `Host` that is
 * this machine's own (a page that pointed its name at us has its own name there) and no foreign `Origin`, else 403.
 */
export function createAccessCheck(key: string): (headers: IncomingHttpHeaders) => void {
  if (key === "") return checkLocal;
  const expected = digest(key);
  return ({ authorization }) => {
    const given = /^bearer +(.*)$/i.exec(headerText(authorization) ?? "")?.[1];
    // Digests have one length, whatever was given, which timingSafeEqual wants.
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    const message = given === undefined ? "Authorization: Bearer KEY is missing." : "The key is wrong.";
    throw new RequestProblem(401, "invalid_api_key", message, { "www-authenticate": "Bearer" });
  };
}

function checkLocal({ host, origin }: IncomingHttpHeaders): void {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host ?? "")?.[1] ?? "";
  if (!isLocal(name)) throw forbidden(`The host "${name}" is not this machine's loopback name.`);
  if (origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase()) return;
  throw forbidden("Web pages may not ask this server.");
}

function forbidden(message: string): RequestProblem {
  return new RequestProblem(403, "forbidden", message);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
