/** Asks a dashboard, or waits for its answers, with a deadline. */
import { withDeadline, type Settled } from "#core/deadline";
import { problemOf } from "#core/errors";
import { DashboardConnection } from "./connection.ts";

/** How long an answer may take. */
export const ANSWER_MS = 2000;
export const LATE_ANSWER = `it did not answer within ${ANSWER_MS / 1000} s`;

/** Why the other end is not a working dashboard; null when it is. */
export async function healthProblem(connection: DashboardConnection): Promise<string | null> {
  const healthy = await waitFor(connection.isHealthy(), ANSWER_MS);
  if (healthy.kind !== "value") return problemOfNone(healthy);
  return healthy.value ? null : "the server there is not a hermes dashboard";
}

/** Waits for an answer; the wait does not keep the program running. */
export function waitFor<Value>(answer: Promise<Value>, ms: number): Promise<Settled<Value>> {
  return withDeadline(ms, () => answer, { keepsAlive: false });
}

/** Why there was no answer. */
export function problemOfNone(settled: Exclude<Settled<unknown>, { readonly kind: "value" }>): string {
  return settled.kind === "late" ? LATE_ANSWER : problemOf(settled.error);
}

/** Checks over a separate connection, because a request without an answer blocks the other one. */
export async function seemsWell(url: string): Promise<boolean> {
  const connection = await DashboardConnection.to(url);
  try {
    return (await healthProblem(connection)) === null;
  } finally {
    connection.close();
  }
}
