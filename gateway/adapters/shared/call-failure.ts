/** A failed call to a platform, which its client has freed of secrets. */
import { HermesError, problemOf } from "#core/errors";

/**
 * `temporary`: the same call may succeed soon (no answer, too many calls, a server error). `refused`: not now, perhaps
 * later (a revoked token). `permanent`: never in this chat, or with this text. `unchanged`: nothing had to be done.
 */
export type FailureKind = "temporary" | "refused" | "permanent" | "unchanged";

export interface FailureDetails {
  /** The HTTP status, or the platform's own error code; null without an answer. */
  readonly status?: number | null;
  /** The delay that the server asks for, in milliseconds, or null. */
  readonly retryAfterMs?: number | null;
  readonly kind?: FailureKind;
}

/** It has no `cause`, because errors of client libraries may contain the token. */
export class CallFailure extends Error {
  override readonly name: string = "CallFailure";
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  readonly kind: FailureKind;

  constructor(problem: string, details: FailureDetails = {}) {
    super(problem);
    this.status = details.status ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.kind = details.kind ?? kindOfStatus(this.status);
  }
}

/** What an HTTP status says where a platform documents nothing else. */
export function kindOfStatus(status: number | null): FailureKind {
  if (status === null || status === 429 || status >= 500) return "temporary";
  return status === 400 || status === 403 ? "permanent" : "refused";
}

/** The failure that a client's call threw; anything else is our own bug. */
export function callFailureOf(thrown: unknown): CallFailure {
  return thrown instanceof CallFailure ? thrown : new CallFailure(problemOf(thrown));
}

/** A failure as an error for the outbox: HERMES_ADAPTER_SEND, `permanent` when a retry would not help. */
export function sendError(platform: string, { message, kind }: CallFailure): HermesError {
  const error = new HermesError("HERMES_ADAPTER_SEND", { platform, problem: message });
  return kind === "permanent" ? Object.assign(error, { permanent: true }) : error;
}
