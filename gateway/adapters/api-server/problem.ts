/** Errors of the API in the shape that clients of OpenAI's know: `{error: {message, type, param, code}}`. */
import type { HermesError } from "#core/errors";

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: null;
    readonly code: string;
  };
}

/** A request that is refused, with the status and code that its client gets. */
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

/** The common case: something is wrong with the request itself. */
export function badRequest(message: string): RequestProblem {
  return new RequestProblem(400, "invalid_request", message);
}

/** What the gateway refused before a turn began. OpenAI's clients try 429 and 503 again by themselves, and may. */
const REFUSED: Readonly<Record<string, number>> = {
  HERMES_MESSAGE_INVALID: 400,
  HERMES_ACCESS_DENIED: 403,
  HERMES_GATEWAY_BUSY: 429,
  HERMES_GATEWAY_STOPPING: 503,
};

/** Failures that a client must not meet by asking again; everything else that ends a turn is our own failure. */
const FAILED: Readonly<Record<string, number>> = {
  HERMES_MESSAGE_REPEATED: 409,
  HERMES_GATEWAY_STOPPED: 503,
  HERMES_MODEL_REQUEST: 502,
  HERMES_MODEL_STREAM_CUT: 502,
};

/**
 * Why there is no answer. Of a turn that failed, tools may have run, and OpenAI's clients would try a 409 or 5xx again
 * by themselves: the header tells them not to.
 */
export function turnProblem({ code, message }: HermesError): RequestProblem {
  const refused = REFUSED[code];
  if (refused !== undefined) return new RequestProblem(refused, code, message);
  return new RequestProblem(FAILED[code] ?? 500, code, message, { "x-should-retry": "false" });
}

/** What fastify refuses before a route sees it, in words for people. */
const FRAMEWORK: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "body_too_large", message: "The body is larger than 8 MiB." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported_media_type",
    message: "The body must be JSON and say so: content-type: application/json.",
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "invalid_request", message: "The body is empty; it must be a JSON object." },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: "invalid_request", message: "The body is not valid JSON." },
};

/** The problem behind anything that was thrown while a request was read; null when it is a fault of ours. */
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
