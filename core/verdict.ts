/** Turns the result of a hook's run into a decision, an outcome for display, and a cause. */
import { judge, PASS, type Decision } from "./answers.ts";
import { failureOf, type Attempt } from "./attempt.ts";
import { HermesError } from "./errors.ts";
import { declarationOf } from "./events.ts";
import type { Firing, Hook, HookReply, HookOutcome, HookRun } from "./ports/hook.ts";

export interface Verdict {
  readonly decision: Decision;
  readonly outcome: HookOutcome;
  readonly cause: HookRun["cause"];
  /** A block's message or a failure's message, and what the hook remarked; else null. */
  readonly detail: string | null;
  /** The hook's message for the user. */
  readonly notice?: string;
}

/** Evaluates one run of a hook by the event's failure policy and the hook's setting (CONTRACT §4, last paragraph). */
export function verdictOf(hook: Hook, firing: Firing, attempt: Attempt): Verdict {
  const verdict = decide(hook, firing, attempt);
  const note = attempt.reply?.note;
  const notice = attempt.reply?.notice;
  if (note === undefined && notice === undefined) return verdict;
  const remarks = [verdict.detail, notice, note].filter((text) => text !== undefined && text !== null);
  return { ...verdict, detail: [...new Set(remarks)].join("\n"), ...(notice === undefined ? {} : { notice }) };
}

function decide(hook: Hook, firing: Firing, attempt: Attempt): Verdict {
  const { reply, failure } = attempt;
  if (failure === undefined && isSilent(reply, firing)) return PASSED;
  const judged = reply === undefined ? PASS : judge(firing.event, reply.answer, reply.dialect ?? "plugin");
  if (judged.kind === "invalid") {
    const { source, name } = hook;
    return failed(
      hook,
      firing,
      PASS,
      failure ?? new HermesError("HERMES_HOOK_ANSWER", { source, name, event: firing.event, problem: judged.problem }),
    );
  }
  const thrown = failure ?? reply?.failure;
  if (thrown !== undefined) return failed(hook, firing, judged, thrown);
  return {
    decision: judged,
    outcome: judged.kind === "allow" ? "pass" : judged.kind,
    cause: null,
    detail: messageOf(judged),
  };
}

/** What a hook says about the call that it holds up. */
function messageOf(decision: Decision): string | null {
  if (decision.kind === "block") return decision.message;
  return decision.kind === "ask" ? decision.reasons.map(({ message }) => message).join("\n") || null : null;
}

export const PASSED: Verdict = Object.freeze({ decision: PASS, outcome: "pass", cause: null, detail: null });

/** True for most runs: they succeed without a relevant answer. */
function isSilent(reply: HookReply | undefined, firing: Firing): boolean {
  if (reply === undefined || reply.failure !== undefined) return false;
  return reply.answer === undefined || reply.answer === null || declarationOf(firing.event).kind === "observe";
}

function failed(hook: Hook, firing: Firing, answered: Decision, thrown: unknown): Verdict {
  const error = failureOf(hook, firing, thrown);
  const cause = error.code === "HERMES_HOOK_TIMEOUT" ? "timeout" : "error";
  if (blocksOnFailure(hook, firing)) {
    const message = answered.kind === "block" ? answered.message : `Blocked because a guard failed: ${error.message}`;
    return { decision: { kind: "block", message }, outcome: "block", cause, detail: error.message };
  }
  const outcome = answered.kind === "pass" || answered.kind === "allow" ? cause : answered.kind;
  return { decision: answered, outcome, cause: null, detail: error.message };
}

function blocksOnFailure(hook: Hook, firing: Firing): boolean {
  return declarationOf(firing.event).onFailure === "mark" && hook.onFailure === "block";
}
