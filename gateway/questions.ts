/** Questions of hooks in chats: the gateway asks in the chat, and the person answers with `/approve` or `/deny`. */
import { randomBytes } from "node:crypto";
import type { ReplyButton } from "#core/ports/platform";
import type { AnswerKind, AskUser, CallQuestion } from "#core/ports/question";
import { describeCall } from "#core/question-text";
import type { Recipient } from "./recipient.ts";

/** Who is asked, and where. */
export interface AskedPerson {
  /** The key of the conversation. */
  readonly key: string;
  /** Only this user may answer: others read along in a group. */
  readonly user_id: string;
  readonly recipient: Pick<Recipient, "sendUnrecorded">;
}

/** Who answers, and where. */
export interface GivenAnswer {
  readonly key: string | null;
  readonly user_id: string;
  /** The question's id; empty for an answer that was written. */
  readonly id: string;
}

export interface ChatQuestionsDeps {
  /** Escapes characters that could hide something. */
  readonly clean: (text: string) => string;
  /** How long an answer is waited for, in milliseconds. */
  readonly ms: number;
}

interface Pending {
  /** What the buttons of this question carry, so that those of an earlier one do nothing. */
  readonly id: string;
  readonly user_id: string;
  /** True once the chat has the question. */
  readonly shown: Promise<boolean>;
  readonly answers: CallQuestion["answers"];
  readonly resolve: (key: string) => void;
}

type ChatAnswer = Exclude<AnswerKind, "hook">;

/** What each kind of answer is sent as. The choices of hooks last longer than a chat: they are for a terminal. */
const COMMANDS: Readonly<Record<ChatAnswer, string>> = {
  once: "/approve",
  session: "/approve all",
  decline: "/deny",
};

const BUTTONS: Readonly<Record<ChatAnswer, Omit<ReplyButton, "message">>> = {
  once: { label: "Approve", style: "primary" },
  session: { label: "Approve all" },
  decline: { label: "Deny", style: "danger" },
};

const NOTHING = "Nothing waits for your approval.";

export class ChatQuestions {
  readonly #deps: ChatQuestionsDeps;
  readonly #pending = new Map<string, Pending>();

  constructor(deps: ChatQuestionsDeps) {
    this.#deps = deps;
  }

  /** What asks this person. Its function rejects when the chat cannot be reached or nobody answers in time. */
  asker(person: AskedPerson): AskUser {
    return (question, signal) => this.#ask(person, question, signal);
  }

  /**
   * Answers the question that the conversation has, and says what happened. `id` is the one that a button carries: a
   * button of an earlier question must not answer a later one.
   */
  async answer(kind: ChatAnswer, { key, user_id, id }: GivenAnswer): Promise<string> {
    const pending = key === null ? undefined : this.#pending.get(key);
    if (key === null || pending === undefined) return NOTHING;
    if (pending.user_id !== user_id) return "Only the person whose message the agent works on can answer this.";
    if (id !== "" && id !== pending.id) return "This question is closed. Answer the newest one.";
    // A user cannot have read what the chat does not show yet.
    const isShown = await pending.shown;
    const answer = pending.answers.find((one) => one.kind === kind);
    if (!isShown || answer === undefined || this.#pending.get(key) !== pending) return NOTHING;
    this.#pending.delete(key);
    pending.resolve(answer.key);
    return kind === "decline" ? "Declined." : "Approved.";
  }

  async #ask({ key, user_id, recipient }: AskedPerson, question: CallQuestion, signal: AbortSignal): Promise<string> {
    const { clean, ms } = this.#deps;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const stop = () => reject(new Error("the turn was stopped"));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const id = randomBytes(4).toString("hex");
    const closed = new AbortController();
    const buttons = { choices: buttonsOf(question, id), until: closed.signal };
    const shown = recipient.sendUnrecorded(textOf(question, { clean, ms }), buttons);
    const pending: Pending = { id, user_id, shown, answers: question.answers, resolve };
    this.#pending.set(key, pending);
    let timer: NodeJS.Timeout | undefined;
    try {
      // Its failure must be handled from now on, also while the question is being sent.
      promise.catch(() => undefined);
      if (!(await shown)) throw new Error("the question could not be sent");
      const late = () => {
        reject(new Error("nobody answered"));
        void recipient.sendUnrecorded(`Nobody answered within ${describe(ms)}, so the call was declined.`);
      };
      timer = setTimeout(late, ms);
      return await promise;
    } finally {
      clearTimeout(timer);
      closed.abort();
      signal.removeEventListener("abort", stop);
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
    }
  }
}

function buttonsOf({ answers }: CallQuestion, id: string): readonly ReplyButton[] {
  return answers.flatMap(({ kind }) =>
    kind === "hook" ? [] : [{ ...BUTTONS[kind], message: `${COMMANDS[kind]} ${id}` }],
  );
}

function textOf(question: CallQuestion, { clean, ms }: ChatQuestionsDeps): string {
  const answers = question.answers.flatMap(({ kind, label }) =>
    kind === "hook" ? [] : [`${COMMANDS[kind]} – ${clean(label)}`],
  );
  return [
    ...describeCall(question, clean).map(({ text }) => text),
    "",
    ...answers,
    `No answer within ${describe(ms)} declines it.`,
  ].join("\n");
}

function describe(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
