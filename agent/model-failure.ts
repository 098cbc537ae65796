/** Describes a failed model request: what went wrong, whether to retry, and what the user can do about it. */
import { HermesError, problemOf } from "#core/errors";
import { truncate } from "#core/truncate";
import { isRetryableStatus, ModelFailure } from "./models/failure.ts";
import type { SelectedModel } from "./models/select.ts";
import { wordsIn } from "./models/server-words.ts";

/** What an error needs to know about the model. */
type FailedModel = Omit<SelectedModel, "model">;

const LONGEST_PROBLEM = 400;

/** Names of the packages' errors for an unfinished stream; compared by name, not by class. */
const CUT_NAMES = new Set(["AI_InvalidResponseDataError", "AI_NoOutputGeneratedError", "AI_EmptyResponseBodyError"]);

/**
 * Classifies a thrown value. With `streamed`, part of the answer had already arrived, so there is no retry. The model's
 * key is removed from the message, because some servers repeat it.
 */
export function modelFailureFrom(thrown: unknown, streamed: boolean, { redact }: FailedModel): ModelFailure {
  const own = ownFailure(thrown);
  if (own !== undefined) {
    const { problem, statusCode, retryAfterMs, kind } = own;
    const retryable = own.retryable && !streamed;
    return new ModelFailure({ problem: redact(problem), statusCode, retryable, retryAfterMs, kind }, { cause: thrown });
  }
  const error = thrown as { name?: unknown; statusCode?: unknown; isRetryable?: unknown; responseHeaders?: unknown };
  const statusCode = typeof error?.statusCode === "number" ? error.statusCode : null;
  // A failure with a good status means that the body could not be read completely.
  if (statusCode !== null && statusCode >= 200 && statusCode < 300) return streamCut(streamed, thrown);
  if (typeof error?.name === "string" && CUT_NAMES.has(error.name)) return streamCut(streamed, thrown);
  if (statusCode === null && isBrokenConnection(thrown) && streamed) return streamCut(streamed, thrown);
  const retryable = statusCode === null ? mayPass(thrown) : isRetryableStatus(statusCode);
  return new ModelFailure(
    {
      problem: hungUp(thrown)
        ? "the server closed the connection without an answer"
        : redact(describe(thrown, statusCode)),
      statusCode,
      retryable: retryable && !streamed,
      retryAfterMs: readRetryAfter(error?.responseHeaders),
      kind: statusCode !== null || !isBrokenConnection(thrown) ? "refused" : hungUp(thrown) ? "closed" : "unreachable",
    },
    { cause: thrown },
  );
}

/** The failure that our own `fetch` threw, as it is or as another error's cause. */
function ownFailure(thrown: unknown): ModelFailure | undefined {
  if (thrown instanceof ModelFailure) return thrown;
  const { cause } = (thrown ?? {}) as { cause?: unknown };
  return cause instanceof ModelFailure ? cause : undefined;
}

/** undici: the socket was connected, and closed before the first byte. */
function hungUp(thrown: unknown): boolean {
  const { cause } = (thrown ?? {}) as { cause?: { code?: unknown; socket?: { bytesRead?: unknown } } };
  const { code, socket } = cause ?? {};
  return (code === "UND_ERR_SOCKET" || code === "ECONNRESET") && (socket?.bytesRead ?? 0) === 0;
}

/** The failure of a stream that ended without a finish message, perhaps before any content. */
export function streamCut(streamed: boolean, cause?: unknown): ModelFailure {
  const problem = streamed ? "the stream was cut" : "the server sent an empty answer";
  const fields = { statusCode: null, retryable: !streamed, retryAfterMs: null };
  return new ModelFailure({ problem, kind: streamed ? "cut" : "empty", ...fields }, { cause });
}

/** The error that ends the turn, with advice for the user: HERMES_MODEL_REQUEST or HERMES_MODEL_STREAM_CUT. */
export function toHermesError(failure: ModelFailure, selected: FailedModel): HermesError {
  const { provider, id: model } = selected;
  if (failure.kind === "cut")
    return new HermesError("HERMES_MODEL_STREAM_CUT", { provider, model }, { cause: failure });
  const { problem } = failure;
  if (failure.kind === "timeout")
    return new HermesError("HERMES_MODEL_TIMEOUT", { provider, model, problem }, { cause: failure });
  const advice = adviceFor(failure, selected);
  return new HermesError("HERMES_MODEL_REQUEST", { provider, model, problem, advice }, { cause: failure });
}

function adviceFor({ statusCode, kind }: ModelFailure, { baseUrl, keySource }: FailedModel): string {
  if (statusCode === 401 || statusCode === 403) return `Check the key (${keySource}).`;
  if (statusCode === 404) return `Check model.default and model.base_url (${baseUrl}).`;
  if (statusCode === 429) return "The server's rate limit or quota is exceeded; try again later.";
  if (statusCode !== null && statusCode >= 500) return "The problem is on the server; try again later.";
  if (kind === "unreachable") return `Check that a server is running at ${baseUrl} (model.base_url).`;
  return kind === "empty" || kind === "odd" || kind === "closed"
    ? `Check that ${baseUrl} (model.base_url) supports the provider's API.`
    : "";
}

/** Errors without a status: a failed connection, or an error that the server sent in the stream, but no bug of ours. */
function mayPass(thrown: unknown): boolean {
  const { isRetryable, name } = (thrown ?? {}) as { isRetryable?: unknown; name?: unknown };
  if (typeof isRetryable === "boolean") return isRetryable;
  return isBrokenConnection(thrown) || typeof name !== "string" || name === "AI_StreamProviderError";
}

/** undici reports `terminated`; the socket's own error is its cause. */
function isBrokenConnection(thrown: unknown): boolean {
  const { cause } = (thrown ?? {}) as { cause?: { code?: unknown } };
  return /terminated|socket|network|aborted|ECONN|EPIPE/i.test(problemOf(thrown)) || typeof cause?.code === "string";
}

function describe(thrown: unknown, statusCode: number | null): string {
  const { cause, responseBody } = (thrown ?? {}) as { cause?: unknown; responseBody?: unknown };
  const words = statusCode === null ? undefined : wordsIn(responseBody);
  const said = [words ?? problemOf(thrown)];
  const deeper = cause === undefined || cause === null ? "" : problemOf(cause);
  if (deeper !== "" && !said[0]?.includes(deeper)) said.push(deeper);
  if (statusCode !== null && typeof responseBody === "string" && said[0] === "") said.push(responseBody);
  const text = said
    .filter((one) => one !== "")
    .join(": ")
    .replaceAll(/\s+/g, " ");
  const status = statusCode === null ? "" : `status ${statusCode}${text === "" ? "" : ": "}`;
  return `${status}${truncate(text, LONGEST_PROBLEM)}`;
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
