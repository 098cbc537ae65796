/** What went wrong, for programs and for people. */
import { HermesError, isHermesError, problemOf } from "#core/errors";

/** The error of the table that stands for whatever was thrown. */
export function asHermesError(thrown: unknown): HermesError {
  if (isHermesError(thrown)) return thrown;
  return new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) }, { cause: thrown });
}

/** What somebody in a chat reads, who can do nothing about it: no internals, no addresses, no keys. */
export function sentenceFor(code: HermesError["code"]): string {
  if (code === "HERMES_TURN_LIMIT") return "I used all the steps that I may take in one go, and have no answer yet.";
  if (code.startsWith("HERMES_MODEL_")) {
    return "My model gave no answer just now. Try again in a moment; whoever runs me finds the reason in the log.";
  }
  return "Something went wrong with this message. Whoever runs me finds the reason in the log.";
}
