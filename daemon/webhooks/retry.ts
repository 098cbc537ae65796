/** What an answer means, and when it is tried again (CONTRACT §11). */
import type { DeliveryOutcome } from "#core/ports/deliveries";
import type { Retry } from "./endpoints.ts";

/** What came of one request. */
export interface SendResult {
  /** The HTTP status; null without an answer. */
  readonly status: number | null;
  /** A clause about what went wrong; null for a success. */
  readonly error: string | null;
  /** What `Retry-After` asks for, in milliseconds; 0 without it. */
  readonly retryAfterMs: number;
}

const LONGEST_DELAY_MS = 3_600_000;
/** A delay is longer or shorter by up to this part of it, so that many deliveries do not come at once. */
const JITTER = 0.1;
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429]);
const GONE = 410;

export type Verdict = "delivered" | "again" | "failed" | "gone";

/** What a result means for its delivery, whose attempts do not matter here. */
export function verdictOn({ status, error }: Pick<SendResult, "status" | "error">): Verdict {
  if (error === null) return "delivered";
  if (status === null || status >= 500 || TRANSIENT.has(status)) return "again";
  return status === GONE ? "gone" : "failed";
}

/** The delay before the next attempt, in milliseconds; null when there is none. `attempts` have been made. */
export function nextDelay(
  retry: Retry,
  attempts: number,
  { retryAfterMs = 0, random = Math.random }: { readonly retryAfterMs?: number; readonly random?: () => number } = {},
): number | null {
  if (!retry.enabled || attempts >= retry.max_attempts) return null;
  const factor = { fixed: 1, linear: attempts, exponential: 2 ** Math.min(attempts - 1, 30) }[retry.backoff];
  const jitter = 1 + JITTER * (2 * random() - 1);
  return Math.min(Math.max(retry.initial_delay * factor * jitter, retryAfterMs), LONGEST_DELAY_MS);
}

/** What comes next for a delivery after a request. `attempts` counts this one, unless `counts` is false. */
export function nextStep(
  retry: Retry,
  result: SendResult,
  {
    attempts,
    counts = true,
    restMs = 0,
  }: { readonly attempts: number; readonly counts?: boolean; readonly restMs?: number },
): DeliveryOutcome["next"] {
  const verdict = verdictOn(result);
  if (verdict !== "again") return { kind: verdict };
  const { retryAfterMs } = result;
  // What does not count is never the last one.
  const inMs = counts ? nextDelay(retry, attempts, { retryAfterMs }) : Math.max(restMs, retryAfterMs);
  return inMs === null ? { kind: "failed" } : { kind: "again", inMs, counts };
}
