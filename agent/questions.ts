/** Asks the user about the tool calls that hooks ask about (CONTRACT §4, `ask`), one question after another. */
import type { AskDecision } from "#core/answers";
import { BoundedMap } from "#core/bounded-map";
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { AskChoice, AskUser, CallQuestion, PossibleAnswer } from "#core/ports/question";

/** A call that waits for an answer. */
export interface HeldCall {
  /** The session that the user talks to, also for the call of a child agent. */
  readonly session_id: string;
  readonly agent: string | null;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly reasons: AskDecision["reasons"];
  /** Undefined where nobody can be asked. */
  readonly ask: AskUser | undefined;
  readonly signal: AbortSignal;
  /** Takes a sentence about the choice of a hook that failed. */
  readonly warn: (sentence: string) => void;
}

/** Sessions whose "yes to all calls" is remembered. */
const MOST_SESSIONS = 1000;
/** What a hook does with an answer delays the call at most this long. */
const CHOICE_MS = 10_000;

const DECLINED = "You declined this call.";

export class CallQuestions {
  /** The tools that a session's user allowed for the rest of it. */
  readonly #allowed = new BoundedMap<string, Set<string>>(MOST_SESSIONS);
  readonly #last = new Map<string, Promise<unknown>>();

  /** Settles a call: null when it may run, else the message that blocks it. Never rejects. */
  async settle(call: HeldCall): Promise<string | null> {
    const { session_id, ask } = call;
    if (this.#isAllowed(call)) return null;
    if (ask === undefined) return refusal(call, "wants your approval for this call, but nobody can be asked here");
    // Calls of one step and of child agents run in parallel; the person reads one question at a time.
    const before = this.#last.get(session_id) ?? Promise.resolve();
    const settled = before.then(() => this.#put(call, ask));
    this.#last.set(session_id, settled);
    try {
      return await settled;
    } finally {
      if (this.#last.get(session_id) === settled) this.#last.delete(session_id);
    }
  }

  /** The session has ended. */
  forget(session_id: string): void {
    this.#allowed.delete(session_id);
  }

  #isAllowed({ session_id, tool }: HeldCall): boolean {
    return this.#allowed.get(session_id)?.has(tool) ?? false;
  }

  async #put(call: HeldCall, ask: AskUser): Promise<string | null> {
    // The answer to an earlier question may cover this call, too.
    if (this.#isAllowed(call)) return null;
    const { tool, args, agent, reasons, session_id } = call;
    const choices = distinct(reasons.flatMap((reason) => reason.choices));
    const answers = answersFor(tool, choices);
    let key: string;
    try {
      key = await ask({ tool, args, agent, reasons, answers } satisfies CallQuestion, call.signal);
    } catch {
      // The turn was stopped, the terminal closed, or nobody answered in time: no answer means no.
      return refusal(call, "asked for your approval of this call and got no answer");
    }
    const kind = answers.find((answer) => answer.key === key)?.kind ?? "decline";
    if (kind === "decline") return DECLINED;
    if (kind === "session") {
      this.#allowed.set(session_id, new Set([...(this.#allowed.get(session_id) ?? []), tool]));
    }
    const choice = choices.find((one) => one.key === key);
    if (kind === "hook" && choice !== undefined) await report(choice, call);
    return null;
  }
}

function answersFor(tool: string, choices: readonly AskChoice[]): readonly PossibleAnswer[] {
  return [
    { key: "y", kind: "once", label: "run it" },
    { key: "a", kind: "session", label: `run it, and every further call of ${tool} in this session` },
    ...choices.map(({ key, label }) => ({ key, kind: "hook", label }) as const),
    { key: "n", kind: "decline", label: "do not run it" },
  ];
}

/** Several hooks may want the same key; the first one gets it. */
function distinct(choices: readonly AskChoice[]): readonly AskChoice[] {
  return choices.filter(({ key }, index) => choices.findIndex((other) => other.key === key) === index);
}

/** The call runs even if a hook cannot do what its choice says: the user allowed it. */
async function report({ on_chosen }: AskChoice, { warn, reasons }: HeldCall): Promise<void> {
  const settled = await withDeadline<unknown>(CHOICE_MS, () => on_chosen?.());
  if (settled.kind === "value") return;
  const problem = settled.kind === "late" ? "it took too long" : problemOf(settled.error);
  warn(`your choice was not kept by ${namesOf(reasons)}: ${problem}`);
}

function refusal({ reasons }: HeldCall, clause: string): string {
  const why = reasons.map(({ message }) => message).filter((message) => message !== "");
  return `The hook ${namesOf(reasons)} ${clause}${why.length === 0 ? "" : `: ${why.join("; ")}`}`;
}

function namesOf(reasons: AskDecision["reasons"]): string {
  return [...new Set(reasons.map(({ hook }) => hook?.name ?? "?"))].join(", ");
}
