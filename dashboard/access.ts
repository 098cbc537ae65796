/** Access control: senders and scripts use the bearer token, the page uses its session. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { bearerOf, digestOf, GuessLimiter, isSame } from "#core/bearer";
import type { Log } from "#core/home/log";
import { OncePerMinute } from "#core/rare-log";
import type { HostGate } from "./addresses.ts";
import { SESSION_SECONDS, type SignIn } from "./sign-in.ts";

/** Thrown to answer a request with an error status; the message becomes `detail` in the body. */
export class Refused extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.statusCode = statusCode;
  }
}

export interface AccessOptions {
  readonly token: string;
  readonly signIn: SignIn;
  readonly port: () => number;
  readonly isOwnPage: HostGate["isOwnPage"];
  readonly log: Log;
}

export class RequestAccess {
  readonly #options: AccessOptions;
  readonly #token: Buffer;
  readonly #limiter = new GuessLimiter();
  readonly #rare = new OncePerMinute();

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#token = digestOf(options.token);
  }

  /** Allows requests with the token, else throws a refusal. For `onRequest`, before the body is read. */
  readonly bearer = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const token = bearerOf(request.raw);
    if (token === undefined) throw unauthorized(reply, "a bearer token is required");
    if (!isSame(digestOf(token), this.#token)) throw this.wrong(request, reply, "the bearer token is wrong");
  };

  /** Allows requests with the token or a session cookie, else throws a refusal. */
  readonly either = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (bearerOf(request.raw) !== undefined) return this.bearer(request, reply);
    if (this.sessionOf(request) === undefined) throw unauthorized(reply, "sign in first");
    if (!this.#options.isOwnPage(request.raw))
      throw new Refused(403, "only the dashboard's own page may send this request");
  };

  /** The key of the session in the request's cookie, or undefined. */
  sessionOf(request: FastifyRequest): string | undefined {
    const secret = this.#secretOf(request);
    return secret === undefined ? undefined : this.#options.signIn.find(secret);
  }

  /** Lets the browser keep the request's cookie for as long as a new one. */
  renewCookie(request: FastifyRequest, reply: FastifyReply): void {
    const secret = this.#secretOf(request);
    if (secret !== undefined && this.#options.signIn.find(secret) !== undefined) this.setCookie(reply, secret);
  }

  /** Sets the session cookie, which scripts and other sites cannot read. */
  setCookie(reply: FastifyReply, secret: string): void {
    this.#cookie(reply, secret, SESSION_SECONDS);
  }

  clearCookie(reply: FastifyReply): void {
    this.#cookie(reply, "", 0);
  }

  /** The refusal for a wrong secret: 401, or 429 when this address guesses too fast. */
  wrong(request: FastifyRequest, reply: FastifyReply, message: string): Refused {
    if (!this.#limiter.isTooMany(request.ip)) return unauthorized(reply, message);
    if (this.#rare.isDue()) this.#options.log.warn("dashboard: too many wrong tokens", { address: request.ip });
    reply.header("retry-after", "1");
    return new Refused(429, "too many wrong tokens; wait a second");
  }

  #secretOf({ headers }: FastifyRequest): string | undefined {
    return new RegExp(`(?:^|; *)${this.#cookieName()}=([\\w-]{43})(?:;|$)`).exec(headers.cookie ?? "")?.[1];
  }

  #cookie(reply: FastifyReply, value: string, seconds: number): void {
    const attributes = `HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;
    reply.header("set-cookie", `${this.#cookieName()}=${value}; ${attributes}`);
  }

  /** Cookies ignore ports, so two dashboards on one machine need different names. */
  #cookieName(): string {
    return `hermes_dashboard_${this.#options.port()}`;
  }
}

function unauthorized(reply: FastifyReply, message: string): Refused {
  reply.header("www-authenticate", "Bearer");
  return new Refused(401, message);
}
