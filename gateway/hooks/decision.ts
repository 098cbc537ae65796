/** What the answer of a handler means: only for `command:<name>` it means anything (CONTRACT §4). */
import type { HookOutcome } from "#core/ports/hook";

export interface JudgedAnswer {
  readonly outcome: HookOutcome;
  /** The answer, when it decides something, else null. */
  readonly decision: unknown;
  /** The message of a denial, or what is wrong with the answer; else null. */
  readonly detail: string | null;
}

const NOTHING: JudgedAnswer = { outcome: "pass", decision: null, detail: null };

/** True for an event whose handlers decide something. */
export function asksForDecision(event: string): boolean {
  return event.startsWith("command:");
}

/** Judges the answer to an event. Answers without a `decision` are those of handlers that only watch. */
export function judgeAnswer(event: string, answer: unknown): JudgedAnswer {
  if (!asksForDecision(event) || typeof answer !== "object" || answer === null) return NOTHING;
  const { decision, message, command_name: name } = answer as Record<string, unknown>;
  if (decision === undefined || decision === null) return NOTHING;
  if (decision === "deny") return decided("block", answer, typeof message === "string" ? message : null);
  if (decision === "handled") return decided("skip", answer, null);
  if (decision === "rewrite" && typeof name === "string") return decided("rewrite", answer, null);
  const problem =
    decision === "rewrite"
      ? "the decision rewrite, without the text command_name"
      : `the decision ${JSON.stringify(decision)?.slice(0, 60)}, which is none of deny, handled, rewrite`;
  return { outcome: "error", decision: null, detail: problem };
}

function decided(outcome: HookOutcome, decision: unknown, detail: string | null): JudgedAnswer {
  return { outcome, decision, detail };
}
