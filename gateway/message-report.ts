/** Reports how messages end. */
import type { MessageReport } from "./deps.ts";
import type { Recipient } from "./recipient.ts";
import type { MessageSource } from "#core/ports/platform";

/** A recipient that reports how its message ended. */
export function reportedRecipient(
  recipient: Recipient,
  { platform, user_id }: Pick<MessageSource, "platform" | "user_id">,
  report: (message: MessageReport) => void,
): Recipient {
  const arrived = performance.now();
  const tell = (outcome: MessageReport["outcome"], code: string | null = null) =>
    report({ platform, user_id: user_id ?? "", outcome, code, seconds: (performance.now() - arrived) / 1000 });
  return {
    ...recipient,
    answer(text, session_id, notice) {
      tell("answered");
      return recipient.answer(text, session_id, notice);
    },
    fail(problem, sentence, session_id) {
      if (problem.code === "HERMES_INTERRUPTED") tell("interrupted");
      else tell("failed", problem.code);
      return recipient.fail(problem, sentence, session_id);
    },
    end() {
      tell("no answer");
      return recipient.end();
    },
  };
}
