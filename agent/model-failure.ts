/** What went wrong with a request to the model, and whether trying again can help. */
import { problemOf } from "#core/errors";

interface FailureFields {
  readonly problem: string;
  readonly statusCode: number | null;
  readonly retryable: boolean;
  /** How long the server asks to wait, in milliseconds, or null. */
  readonly retryAfterMs: number | null;
  /** True when the answer had begun and ended before its end. */
  readonly cut: boolean;
}

/** A failed request. */
export class ModelFailure extends Error implements FailureFields {
  readonly problem: string;
  readonly statusCode: number | null;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly cut: boolean;

  constructor(fields: FailureFields, options?: ErrorOptions) {
    super(fields.problem, options);
    this.problem = fields.problem;
    this.statusCode = fields.statusCode;
    this.retryable = fields.retryable;
    this.retryAfterMs = fields.retryAfterMs;
    this.cut = fields.cut;
  }
}

const LONGEST_PROBLEM = 400;

/** Names under which the packages report a stream without an end; they are told apart by name, not by class. */
const CUT_NAMES = new Set(["AI_InvalidResponseDataError", "AI_NoOutputGeneratedError", "AI_EmptyResponseBodyError"]);

/** Judges what was thrown. `streamed` says that a part of the answer had arrived: then nothing is tried again. */
export function failureFrom(thrown: unknown, streamed: boolean): ModelFailure {
  const error = thrown as { name?: unknown; statusCode?: unknown; isRetryable?: unknown; responseHeaders?: unknown };
  const statusCode = typeof error?.statusCode === "number" ? error.statusCode : null;
  // A good status with a failure is a body that could not be read to its end.
  if (statusCode !== null && statusCode >= 200 && statusCode < 300) return streamCut(streamed, thrown);
  if (typeof error?.name === "string" && CUT_NAMES.has(error.name)) return streamCut(streamed, thrown);
  if (statusCode === null && isBrokenConnection(thrown) && streamed) return streamCut(streamed, thrown);
  const retryable = statusCode === null ? mayPass(thrown) : isRetryableStatus(statusCode);
  return new ModelFailure(
    {
      problem: describe(thrown, statusCode),
      statusCode,
      retryable: retryable && !streamed,
      retryAfterMs: readRetryAfter(error?.responseHeaders),
      cut: false,
    },
    { cause: thrown },
  );
}

/** The failure of a stream that ended without saying that it was done. */
export function streamCut(streamed: boolean, cause?: unknown): ModelFailure {
  return new ModelFailure(
    { problem: "the stream was cut", statusCode: null, retryable: !streamed, retryAfterMs: null, cut: true },
    { cause },
  );
}

/** Without a status: a connection that failed, or an error that the server wrote into the stream; no mistake of ours. */
function mayPass(thrown: unknown): boolean {
  const { isRetryable, name } = (thrown ?? {}) as { isRetryable?: unknown; name?: unknown };
  if (typeof isRetryable === "boolean") return isRetryable;
  return isBrokenConnection(thrown) || typeof name !== "string" || name === "AI_StreamProviderError";
}

function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/** undici says `terminated`, and the socket's own error is its cause. */
function isBrokenConnection(thrown: unknown): boolean {
  const { cause } = (thrown ?? {}) as { cause?: { code?: unknown } };
  return /terminated|socket|network|aborted|ECONN|EPIPE/i.test(problemOf(thrown)) || typeof cause?.code === "string";
}

function describe(thrown: unknown, statusCode: number | null): string {
  const { cause, responseBody } = (thrown ?? {}) as { cause?: unknown; responseBody?: unknown };
  const said = [problemOf(thrown)];
  const deeper = cause === undefined || cause === null ? "" : problemOf(cause);
  if (deeper !== "" && !said[0]?.includes(deeper)) said.push(deeper);
  if (statusCode !== null && typeof responseBody === "string" && said[0] === "") said.push(responseBody);
  const text = said
    .filter((one) => one !== "")
    .join(": ")
    .replaceAll(/\s+/g, " ");
  const status = statusCode === null ? "" : `status ${statusCode}${text === "" ? "" : ": "}`;
  return `${status}${text.length > LONGEST_PROBLEM ? `${text.slice(0, LONGEST_PROBLEM)}…` : text}`;
}

/** `Retry-After` in seconds or as a date, `retry-after-ms` in milliseconds. */
function readRetryAfter(headers: unknown): number | null {
  if (typeof headers !== "object" || headers === null) return null;
  const { "retry-after-ms": milliseconds, "retry-after": after } = headers as Record<string, string | undefined>;
  const exact = Number.parseFloat(milliseconds ?? "");
  if (exact >= 0) return exact;
  if (after === undefined) return null;
  const seconds = Number.parseFloat(after);
  const wait = /^\s*[\d.]+\s*$/.test(after) ? seconds * 1000 : Date.parse(after) - Date.now();
  return wait >= 0 ? wait : null;
}
