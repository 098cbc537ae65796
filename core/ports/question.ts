/** The port of questions: a hook wants the user to decide about a tool call, and a surface asks. */
import type { HookIdentity } from "./hook.ts";

/** A further answer of a hook's. Whoever chooses it lets the call run. */
export interface AskChoice {
  /** One lowercase letter, except `y`, `a` and `n`. */
  readonly key: string;
  /** What it does, for the user: `always allow git status`. */
  readonly label: string;
  /** Called when the user chose it, before the call runs. */
  readonly on_chosen?: () => unknown;
}

/** Why a hook asks. */
export interface AskReason {
  /** May be empty. */
  readonly message: string;
  readonly choices: readonly AskChoice[];
  /** Set by dispatch. */
  readonly hook?: Pick<HookIdentity, "name" | "command">;
}

/** `once` is yes, `session` is yes for all calls of the tool in this session, `hook` is the choice of a hook. */
export type AnswerKind = "once" | "session" | "hook" | "decline";

/** An answer that the user may give. Text of a hook, which may hold anything, is in `label` only for the kind `hook`. */
export interface PossibleAnswer {
  readonly key: string;
  readonly kind: AnswerKind;
  readonly label: string;
}

/** What the user is asked. All its text may hold control characters: surfaces clean it. */
export interface CallQuestion {
  readonly tool: string;
  /** The arguments that the tool would get. */
  readonly args: Readonly<Record<string, unknown>>;
  /** The kind of the child agent that makes the call; null for the user's own agent. */
  readonly agent: string | null;
  readonly reasons: readonly AskReason[];
  /** `y` is the first, `n` the last. */
  readonly answers: readonly PossibleAnswer[];
}

/**
 * Asks the user. Resolves with the key of an answer; any other text declines. Rejects when the signal aborts, or when
 * there is no answer.
 */
export type AskUser = (question: CallQuestion, signal: AbortSignal) => Promise<string>;
