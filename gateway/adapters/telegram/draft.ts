/** A draft: a message that is sent with the first words, edited about once a second, and finished with the answer. */
import type { Log } from "#core/home/log";
import type { Draft, ReplyTarget } from "#core/ports/platform";
import type { TelegramClient } from "./client.ts";
import { telegramFailureOf } from "./failure.ts";
import type { Housekeeping } from "./housekeeping.ts";
import { sendError, sendFinished, type Outgoing } from "./outgoing.ts";
import { splitText } from "./split.ts";

export interface DraftTiming {
  /** Minimum time between two edits of a message, in private chats and in groups, which have a lower limit. */
  readonly editMs: number;
  readonly groupEditMs: number;
  /** How long an answer waits for the last edit of its draft. */
  readonly settleMs: number;
}

export interface DraftOptions {
  readonly client: TelegramClient;
  readonly outgoing: Outgoing;
  readonly housekeeping: Housekeeping;
  readonly log: Log;
  readonly timing: DraftTiming;
  /** False: nothing is shown before the answer is complete. */
  readonly live: boolean;
}

export function createDraft(options: DraftOptions, target: ReplyTarget): Draft {
  const { client, outgoing, housekeeping, log, timing, live } = options;
  const { chat_id: chat } = target;
  const over = new AbortController();
  const pauseMs = chat.startsWith("-") ? timing.groupEditMs : timing.editMs;
  let messageId: number | null = null;
  let shown = "";
  let wanted = "";
  let timer: NodeJS.Timeout | undefined;
  let showing: Promise<void> | undefined;
  let nextAt = 0;
  /** True when no more text must be shown: the answer is complete, or Telegram refused. */
  let isOver = !live;

  function schedule(): void {
    if (isOver || timer !== undefined || showing !== undefined) return;
    if (wanted === shown || wanted.trim() === "") return;
    timer = setTimeout(
      () => {
        timer = undefined;
        showing = show(wanted).finally(() => {
          showing = undefined;
          nextAt = Math.max(nextAt, performance.now() + pauseMs);
          schedule();
        });
      },
      Math.max(0, nextAt - performance.now(), housekeeping.pauseOf(chat)),
    );
  }

  async function show(text: string): Promise<void> {
    const isFirst = messageId === null;
    try {
      if (messageId === null) messageId = await client.sendMessage(target, text, housekeeping.signal());
      else await client.editMessage(target, messageId, text, housekeeping.signal(over.signal));
      shown = text;
    } catch (thrown) {
      const failure = telegramFailureOf(thrown);
      housekeeping.note(chat, failure);
      if (failure.isUnchanged) shown = text;
      // The first message may have arrived although its response was lost, so do not send another one.
      else if ((isFirst && failure.retryAfterMs === null) || !failure.mayPass) isOver = true;
      log.debug(`telegram: a draft could not be updated: ${failure.message}`);
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
    const late = setTimeout(() => over.abort(), timing.settleMs);
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
  async function complete(id: number, text: string): Promise<boolean> {
    if (text === shown) return true;
    await housekeeping.wait(chat);
    try {
      await outgoing.attempt(chat, () => client.editMessage(target, id, text));
      return true;
    } catch (thrown) {
      const failure = telegramFailureOf(thrown);
      if (failure.isUnchanged) return true;
      // The user deleted it, or it is too old: send the answer as a new message.
      if (failure.status === 400) return false;
      throw sendError(failure);
    }
  }

  return {
    update(text) {
      wanted = splitText(text)[0] ?? "";
      schedule();
    },
    async finish(text) {
      await settle();
      const pieces = splitText(text);
      if (pieces.length === 0) return remove();
      if (messageId === null || !(await complete(messageId, pieces[0]!))) {
        return sendFinished(outgoing, target, pieces);
      }
      return sendFinished(outgoing, target, pieces.slice(1));
    },
    async discard() {
      end();
      if (messageId !== null || showing !== undefined) remove();
    },
  };
}
