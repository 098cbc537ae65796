/** Errors of the API in OpenAI's format: `{error: {message, type, param, code}}`. */
import type { HermesError } from "#core/errors";

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: null;
    readonly code: string;
  };
}

/** A refused request, with the status and code for its client. */
export class RequestProblem extends Error {
  override readonly name = "RequestProblem";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  body(): ErrorBody {
    return { error: { message: this.message, type: typeOf(this.status), param: null, code: this.code } };
  }
}

/** The common case: the request itself is invalid. */
export function badRequest(message: string): RequestProblem {
  return new RequestProblem(400, "invalid_request", message);
}

/** Refusals before a turn started. OpenAI's clients retry 429 and 503 by themselves, which is fine. */
const REFUSED: Readonly<Record<string, number>> = {
  HERMES_MESSAGE_INVALID: 400,
  HERMES_ACCESS_DENIED: 403,
  HERMES_GATEWAY_BUSY: 429,
  HERMES_GATEWAY_STOPPING: 503,
};

/** Failures that a client must not retry; everything else that ends a turn is our own failure. */
const FAILED: Readonly<Record<string, number>> = {
  HERMES_GATEWAY_STOPPED: 503,
  HERMES_MODEL_REQUEST: 502,
  HERMES_MODEL_STREAM_CUT: 502,
};

/**
 * Why there is no answer. Tools of a failed turn may have run, and OpenAI's clients retry a 409 or 5xx by themselves;
 * the header tells them not to.
 */
export function turnProblem({ code, message }: HermesError): RequestProblem {
  const refused = REFUSED[code];
  if (refused !== undefined) return new RequestProblem(refused, code, message);
  return new RequestProblem(FAILED[code] ?? 500, code, message, { "x-should-retry": "false" });
}

/** Readable messages for what fastify refuses before a route is called. */
const FRAMEWORK: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "body_too_large", message: "The body is larger than 8 MiB." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported_media_type",
    message: "The body must be JSON, with the header content-type: application/json.",
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "invalid_request", message: "The body is empty; it must be a JSON object." },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: "invalid_request", message: "The body is not valid JSON." },
};

/** The problem for an error while a request was read; null when it is our own fault. */
export function problemFrom(thrown: unknown): RequestProblem | null {
  if (thrown instanceof RequestProblem) return thrown;
  const { statusCode, code } = (thrown ?? {}) as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode >= 500) return null;
  const known = typeof code === "string" ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return new RequestProblem(statusCode, known.code, known.message);
  return new RequestProblem(statusCode, "invalid_request", "The request cannot be read.");
}

function typeOf(status: number): string {
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}
