/** Lets web pages of the origins in `cors_origins` use the server. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { headerText } from "./header-text.ts";
import { RequestProblem } from "./problem.ts";

export interface CrossOrigin {
  /** True for a page of a listed origin. */
  allows(origin: string): boolean;
  /**
   * Sets the headers for the request's page. True for a preflight request, whose answer is complete with them; it is
   * never authorized. Throws a RequestProblem (403) for the preflight of another page.
   */
  apply(request: IncomingMessage, response: ServerResponse): boolean;
}

const METHODS = "GET, POST, OPTIONS";
const EXPOSED = "X-Hermes-Session-Id, X-Hermes-Version, X-Should-Retry, Retry-After";
const PREFLIGHT_SECONDS = 600;

export function createCrossOrigin(origins: readonly string[]): CrossOrigin {
  const all = origins.includes("*");
  const known = new Set(origins.map((origin) => origin.toLowerCase()));
  const allows = (origin: string) => all || known.has(origin.toLowerCase());

  function preflight({ headers }: IncomingMessage, response: ServerResponse): void {
    response.setHeader("access-control-allow-methods", METHODS);
    const wanted = headerText(headers["access-control-request-headers"]) ?? "";
    // Clients send headers of their own, such as x-stainless-os; only names are repeated.
    if (/^[\w!#$%&'*+.^`|~, -]+$/.test(wanted)) response.setHeader("access-control-allow-headers", wanted);
    if (headers["access-control-request-private-network"] === "true") {
      response.setHeader("access-control-allow-private-network", "true");
    }
    response.setHeader("access-control-max-age", String(PREFLIGHT_SECONDS));
  }

  return {
    allows,
    apply(request, response) {
      const { method, headers } = request;
      const { origin } = headers;
      const isPreflight = method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
      if (origins.length > 0) {
        response.setHeader("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network");
      }
      if (origin === undefined) return false;
      if (!allows(origin)) {
        if (isPreflight) throw new RequestProblem(403, "forbidden", notListed(origin));
        return false;
      }
      response.setHeader("access-control-allow-origin", all ? "*" : origin);
      response.setHeader("access-control-expose-headers", EXPOSED);
      if (isPreflight) preflight(request, response);
      return isPreflight;
    },
  };
}

/** What is wrong with the origins, or undefined. */
export function originsProblem(origins: readonly string[], key: string): string | undefined {
  const wrong = origins.find((origin) => origin !== "*" && !/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/i.test(origin));
  if (wrong !== undefined) {
    return `"${wrong}" in cors_origins is not an origin. Write it as https://app.example.com, without a path.`;
  }
  if (!origins.includes("*") || key !== "") return undefined;
  return 'cors_origins: ["*"] lets every web page use the agent, so a key is required. Set gateway.platforms.api_server.key.';
}

export function notListed(origin: string): string {
  return `Web pages of ${origin.slice(0, 200)} may not use this server. Add the origin to gateway.platforms.api_server.cors_origins.`;
}
