/** A failed request to a model, as our own code reports it. */

interface FailureFields {
  readonly problem: string;
  readonly statusCode: number | null;
  readonly retryable: boolean;
  /** The delay that the server asks for, in milliseconds, or null. */
  readonly retryAfterMs: number | null;
  readonly kind: FailureKind;
}

/**
 * `closed`: the server took the request and hung up. `empty`: the answer ended before its first word. `odd`: it is no
 * model's answer. `cut`: it broke off in the middle. `timeout`: the server fell silent.
 */
type FailureKind = "unreachable" | "closed" | "refused" | "empty" | "odd" | "cut" | "timeout";

/** A failed request. */
export class ModelFailure extends Error implements FailureFields {
  readonly problem: string;
  readonly statusCode: number | null;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly kind: FailureKind;

  constructor(fields: FailureFields, options?: ErrorOptions) {
    super(fields.problem, options);
    this.problem = fields.problem;
    this.statusCode = fields.statusCode;
    this.retryable = fields.retryable;
    this.retryAfterMs = fields.retryAfterMs;
    this.kind = fields.kind;
  }
}

/** True for a status after which a request is retried. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}
