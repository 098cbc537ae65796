/** A draft: a message that is sent with the first words, edited at the rate of its platform, and finished with the answer. */
import type { Log } from "#core/home/log";
import type { Draft, ReplyTarget } from "#core/ports/platform";
import { callFailureOf, sendError } from "./call-failure.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { EditingClient } from "./message-client.ts";
import type { Outgoing } from "./outgoing.ts";

export interface DraftOptions<Id> {
  readonly platform: string;
  readonly client: EditingClient<Id>;
  readonly outgoing: Outgoing;
  readonly housekeeping: Housekeeping;
  readonly log: Log;
  /** Minimum time between two edits of a message, in milliseconds. */
  readonly editMs: number;
  /** How long an answer waits for the last edit of its draft, in milliseconds. */
  readonly settleMs: number;
  /** A text in the platform's own form, in the pieces that it accepts. */
  readonly split: (text: string) => readonly string[];
  /** False: nothing is shown before the answer is complete. */
  readonly live: boolean;
}

export function createDraft<Id>(options: DraftOptions<Id>, target: ReplyTarget): Draft {
  const { platform, client, outgoing, housekeeping, log, editMs, settleMs, split, live } = options;
  const { chat_id: chat } = target;
  const over = new AbortController();
  let messageId: Id | null = null;
  /** What the message says. */
  let shown = "";
  /** The whole text so far, and the one that the message was made from. */
  let grown = "";
  let shownOf = "";
  let timer: NodeJS.Timeout | undefined;
  let showing: Promise<void> | undefined;
  let nextAt = 0;
  /** True when no more text must be shown: the answer is complete, or the platform refused. */
  let isOver = !live;

  function schedule(): void {
    if (isOver || timer !== undefined || showing !== undefined || grown === shownOf) return;
    const pause = Math.max(0, nextAt - performance.now(), housekeeping.pauseOf(chat));
    timer = setTimeout(() => {
      timer = undefined;
      showing = showGrown().finally(() => {
        showing = undefined;
        nextAt = Math.max(nextAt, performance.now() + editMs);
        schedule();
      });
    }, pause);
  }

  /** A long text is brought into its form once an edit, not with each of its words. */
  async function showGrown(): Promise<void> {
    const whole = grown;
    const text = split(whole)[0] ?? "";
    if (text !== shown && text.trim() !== "") await show(text);
    if (text === shown || text.trim() === "") shownOf = whole;
  }

  async function show(text: string): Promise<void> {
    const isFirst = messageId === null;
    try {
      if (messageId === null) messageId = await client.sendMessage(target, text, { signal: housekeeping.signal() });
      else await client.editMessage(target, messageId, text, housekeeping.signal(over.signal));
      shown = text;
    } catch (thrown) {
      const failure = callFailureOf(thrown);
      housekeeping.note(chat, failure);
      if (failure.kind === "unchanged") shown = text;
      // The first message may have arrived although its response was lost, so do not send another one.
      else if ((isFirst && failure.retryAfterMs === null) || failure.kind !== "temporary") isOver = true;
      log.debug(`${platform}: a draft could not be updated: ${failure.message}`);
    }
  }

  function end(): void {
    isOver = true;
    clearTimeout(timer);
    timer = undefined;
  }

  /** Waits for the last call. An edit that takes long is ended: the answer replaces its text anyway. */
  async function settle(): Promise<void> {
    end();
    const late = setTimeout(() => over.abort(), settleMs);
    await showing;
    clearTimeout(late);
  }

  /** Deletes the draft when there is time for it. */
  function remove(): void {
    housekeeping.later(chat, async (signal) => {
      await showing;
      if (messageId !== null) await client.deleteMessage(target, messageId, signal);
    });
  }

  /** The last edit. False when the message is gone. */
  async function complete(id: Id, text: string): Promise<boolean> {
    if (text === shown) return true;
    await housekeeping.wait(chat);
    try {
      await outgoing.attempt(chat, () => client.editMessage(target, id, text));
      return true;
    } catch (thrown) {
      const failure = callFailureOf(thrown);
      if (failure.kind === "unchanged") return true;
      // The user deleted it, or it is too old: send the answer as a new message.
      if (failure.kind === "permanent") return false;
      throw sendError(platform, failure);
    }
  }

  return {
    update(text) {
      grown = text;
      schedule();
    },
    async finish(text) {
      await settle();
      const pieces = split(text);
      if (pieces.length === 0) return remove();
      if (messageId === null || !(await complete(messageId, pieces[0]!))) return outgoing.send(target, pieces);
      return outgoing.send(target, pieces.slice(1));
    },
    async discard() {
      end();
      if (messageId !== null || showing !== undefined) remove();
    },
  };
}
