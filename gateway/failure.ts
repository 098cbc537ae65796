/** Describes failures, for programs and for users. */
import { HermesError, isHermesError, problemOf } from "#core/errors";

/** Turns any thrown value into an error of the table. */
export function asHermesError(thrown: unknown): HermesError {
  if (isHermesError(thrown)) return thrown;
  return new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) }, { cause: thrown });
}

/** The message for a user in a chat: no internals, no addresses, no keys. */
export function sentenceFor(code: HermesError["code"]): string {
  if (code === "HERMES_TURN_LIMIT") return "I reached my limit of steps for one message and have no answer yet.";
  if (code.startsWith("HERMES_MODEL_")) {
    return "My model did not answer. Please try again in a moment. The gateway's log has the reason.";
  }
  return "Something went wrong with this message. The gateway's log has the reason.";
}
