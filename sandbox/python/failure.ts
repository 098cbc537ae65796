/** Why a call of Python code has no answer. */
import type { FailureKind } from "./wire.ts";

/**
 * In addition to what Python says: `timeout` (it has been stopped), `died` (its process ended while it ran), `lost` (its
 * process ended before it ran), `unavailable` (there is no usable Python), `off` (it has ended its process too often).
 */
export type PythonFailureKind = FailureKind | "timeout" | "died" | "lost" | "unavailable" | "off";

export class PythonFailure extends Error {
  readonly kind: PythonFailureKind;
  /** The time limit that ran out, with `timeout`. */
  readonly seconds: number;

  /** `problem` is a clause whose "it" is the extension. */
  constructor(kind: PythonFailureKind, problem: string, seconds = 0) {
    super(problem);
    this.kind = kind;
    this.seconds = seconds;
  }
}
