/** The recipient of an answer: the caller of a request, or a chat on a platform. */
import { problemOf, type HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { Log } from "#core/home/log";
import type { Adapter, Draft, MessageSource, Reply, ReplyButtons } from "#core/ports/platform";
import type { Outbox, Written } from "./outbox.ts";
import { withDeadline } from "#core/deadline";

/** Exactly one of its three endings is called, once. None of its functions throws or rejects. */
export interface Recipient {
  /** Aborts when nobody is waiting for the answer any more. */
  readonly signal: AbortSignal | undefined;
  /** Calls back when the answer will reach the user whatever happens to this process. */
  onStored(stored: () => void): void;
  /** Takes every frame of the turn. */
  show(frame: Frame): void;
  /** The answer, or a message in its place. `notice` tells the user that it is empty or incomplete. */
  answer(text: string, session_id?: string, notice?: string | null): Promise<void>;
  /** There is no answer: `problem` is the reason for programs, `sentence` the one for users, or null for none. */
  fail(problem: HermesError, sentence: string | null, session_id?: string): Promise<void>;
  /** Ends without saying anything. */
  end(): Promise<void>;
  /** A remark beside the answer, where the platform has a place for it. */
  notice(text: string): Promise<void>;
  /** Like `answer`, for a text that must not be stored, with buttons if the platform has them. False when it did not arrive. */
  sendUnrecorded(text: string, buttons?: ReplyButtons): Promise<boolean>;
}

export interface RecipientDeps {
  readonly outbox: Outbox;
  readonly adapter: (platform: string) => Adapter | undefined;
  /** False while hooks may change the final answer: then nothing is shown before. */
  readonly streams: () => boolean;
  readonly log: Log;
  /** How long a platform may take for a short text or for deleting a draft, in milliseconds. */
  readonly sendMs: number;
}

/** The caller of a request: the answer is the response to it. */
export function createReplyRecipient(reply: Reply, { streams, log }: RecipientDeps): Recipient {
  let ended = false;

  function finish(text: string | null, problem: HermesError | null, session_id?: string): void {
    if (ended) return;
    ended = true;
    guard(() => reply.onEnd({ text, problem, ...(session_id === undefined ? {} : { session_id }) }));
  }

  function guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      log.warn("a platform failed to accept an answer", { problem: problemOf(error) });
    }
  }

  return {
    signal: isSignal(reply.signal) ? reply.signal : undefined,
    // A caller whose connection breaks knows.
    onStored: () => undefined,
    show(frame) {
      if (ended || ((frame.type === "text" || frame.type === "reasoning") && !streams())) return;
      guard(() => reply.onFrame?.(frame));
    },
    // The caller of an incomplete answer learns its end from the frame; an empty one would say nothing.
    answer: async (text, session_id, notice) => finish(text.trim() === "" ? (notice ?? text) : text, null, session_id),
    fail: async (problem, _sentence, session_id) => finish(null, problem, session_id),
    end: async () => finish(null, null),
    // A response has no place for it; the hook's frame, which programs may show, says it, too.
    notice: () => Promise.resolve(),
    async sendUnrecorded(text) {
      finish(text, null);
      return true;
    },
  };
}

/** A plugin's adapter may pass anything. */
function isSignal(signal: AbortSignal | undefined): signal is AbortSignal {
  return typeof signal?.addEventListener === "function";
}

function withNotice(text: string, notice: string | null | undefined): string {
  if (!notice) return text;
  return text.trim() === "" ? notice : `${text}\n\n(${notice})`;
}

/** A chat: the answer goes through the outbox, and is shown as a growing draft if the platform can edit messages. */
export function createChatRecipient(source: MessageSource, deps: RecipientDeps): Recipient {
  const { platform, chat_id, thread_id } = source;
  const { outbox, log } = deps;
  let draft: Draft | undefined;
  let draftFailed = false;
  let grown = "";
  let written: Written | undefined;
  let stored: () => void = () => undefined;

  function show(frame: Frame): void {
    if (frame.type === "text" && deps.streams()) grow(frame.delta);
    // The next text is a new one; the last one is the answer.
    else if (frame.type === "tool_use" || frame.type === "injected") grown = "";
    // Hooks may be slow now, and a kill meanwhile must not lose the answer.
    else if (frame.type === "assistant") written = write(withNotice(frame.content, frame.notice), frame.session_id);
  }

  /** Platforms refuse empty messages. */
  function write(text: string, session_id: string): Written | undefined {
    if (text.trim() === "") return undefined;
    const row = outbox.write({ platform, chat_id, thread_id, session_id, text });
    stored();
    return row;
  }

  function grow(delta: string): void {
    grown += delta;
    if (draftFailed || grown.trim() === "") return;
    try {
      draft ??= deps.adapter(platform)?.draft?.({ chat_id, thread_id }) ?? undefined;
      draft?.update(grown);
    } catch (error) {
      draftFailed = true;
      log.warn("a platform failed to show a draft", { platform, problem: problemOf(error) });
    }
  }

  /** The next message does not wait for it. */
  function discard(): void {
    const gone = draft;
    draft = undefined;
    if (gone === undefined) return;
    const tidy = async () => gone.discard();
    void tidy().catch((error: unknown) =>
      log.warn("a platform failed to delete a draft", { platform, problem: problemOf(error) }),
    );
  }

  async function answer(words: string, session_id = "", notice?: string | null): Promise<void> {
    const text = withNotice(words, notice);
    const ready = written?.text === text ? written : write(text, session_id);
    if (ready !== written) written?.withdraw();
    if (ready === undefined) return discard();
    const growing = draft;
    const finish = async () => {
      try {
        await growing?.finish(text);
      } catch (error) {
        discard();
        throw error;
      }
    };
    await ready.send(growing === undefined ? undefined : finish);
  }

  async function end(): Promise<void> {
    written?.withdraw();
    written = undefined;
    discard();
  }

  async function sendUnrecorded(text: string, buttons?: ReplyButtons): Promise<boolean> {
    const settled = await withDeadline<unknown>(deps.sendMs, () => {
      const adapter = deps.adapter(platform);
      if (adapter === undefined) throw new Error("the platform is not running");
      return adapter.send(chat_id, text, { thread_id, ...(buttons === undefined ? {} : { buttons }) });
    });
    if (settled.kind === "value") return true;
    const problem = settled.kind === "late" ? "it took too long" : problemOf(settled.error);
    log.warn("a platform did not accept a text", { platform, chat_id, problem });
    return false;
  }

  return {
    signal: undefined,
    onStored(callback) {
      stored = callback;
    },
    show,
    answer,
    async fail(_problem, sentence, session_id) {
      await end();
      if (sentence !== null) await answer(sentence, session_id);
    },
    end,
    async notice(text) {
      await sendUnrecorded(text);
    },
    sendUnrecorded,
  };
}
