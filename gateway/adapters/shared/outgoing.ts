/** Sends messages: in order per chat, in pieces, with retries where they help. */
import { setTimeout as sleep } from "node:timers/promises";
import { growingPause } from "#core/backoff";
import { BoundedMap } from "#core/bounded-map";
import type { ReplyButtons, ReplyTarget } from "#core/ports/platform";
import { callFailureOf, sendError } from "./call-failure.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { MessageClient } from "./message-client.ts";

export interface Outgoing {
  /** Makes a call for a chat, with retries where they may help. Throws a CallFailure. */
  attempt<Value>(chatId: string, call: () => Promise<Value>): Promise<Value>;
  /**
   * Sends finished pieces after all that is being sent to the chat, the buttons with the last one. Pieces that a failed
   * call of the same text has already sent are not sent again. Rejects with HERMES_ADAPTER_SEND, `permanent` when a
   * retry would not help.
   */
  send(target: ReplyTarget, pieces: readonly string[], buttons?: ReplyButtons): Promise<void>;
  /** Resolves when nothing is being sent. */
  idle(): Promise<void>;
}

export interface OutgoingTiming {
  /** Before the second attempt of a call without an answer; doubled each time. */
  readonly retryMs: number;
  /** How long after its start a call may be retried. After that, the outbox retries later, for longer. */
  readonly budgetMs: number;
}

const MOST_ATTEMPTS = 4;
/** How many partly sent texts are remembered for their next attempt. */
const MOST_UNFINISHED = 100;

export interface OutgoingOptions<Id> {
  readonly platform: string;
  readonly client: MessageClient<Id>;
  readonly timing: OutgoingTiming;
  readonly housekeeping: Pick<Housekeeping, "note" | "later">;
  /** Cuts waits short when the program exits. */
  readonly signal: AbortSignal;
}

export function createOutgoing<Id>(options: OutgoingOptions<Id>): Outgoing {
  const { platform, client, timing, housekeeping, signal } = options;
  const last = new Map<string, Promise<unknown>>();
  const sentOf = new BoundedMap<string, number>(MOST_UNFINISHED);

  /** Runs the task when all earlier ones of the chat have ended. */
  async function inOrder<Value>(chatId: string, task: () => Promise<Value>): Promise<Value> {
    const before = last.get(chatId) ?? Promise.resolve();
    // The caller of the earlier task gets its outcome.
    const run = before.then(task, task);
    last.set(chatId, run);
    try {
      return await run;
    } finally {
      if (last.get(chatId) === run) last.delete(chatId);
    }
  }

  async function attempt<Value>(chatId: string, call: () => Promise<Value>): Promise<Value> {
    const until = performance.now() + timing.budgetMs;
    for (let count = 1; ; count++) {
      try {
        return await call();
      } catch (thrown) {
        const failure = callFailureOf(thrown);
        housekeeping.note(chatId, failure);
        const backoff = { firstPause: timing.retryMs, longestPause: timing.budgetMs };
        const wait = failure.retryAfterMs ?? growingPause(count - 1, backoff);
        const isLate = count === MOST_ATTEMPTS || performance.now() + wait > until;
        if (failure.kind !== "temporary" || isLate) throw failure;
        await sleep(wait, undefined, { signal }).catch(() => {
          throw failure;
        });
      }
    }
  }

  async function sendPieces(target: ReplyTarget, pieces: readonly string[], buttons?: ReplyButtons): Promise<void> {
    const key = JSON.stringify([target.chat_id, target.thread_id, pieces]);
    for (let index = sentOf.get(key) ?? 0; index < pieces.length; index++) {
      const isLast = index === pieces.length - 1;
      await sendPiece(target, pieces[index]!, isLast ? buttons : undefined).catch((thrown: unknown) => {
        const failure = callFailureOf(thrown);
        sentOf.delete(key);
        if (failure.kind === "temporary" && index > 0) sentOf.set(key, index);
        throw failure;
      });
    }
    sentOf.delete(key);
  }

  async function sendPiece(target: ReplyTarget, text: string, buttons?: ReplyButtons): Promise<void> {
    if (buttons === undefined || buttons.until.aborted) {
      await attempt(target.chat_id, () => client.sendMessage(target, text));
      return;
    }
    const id = await attempt(target.chat_id, () => client.sendMessage(target, text, { buttons }));
    const remove = () =>
      housekeeping.later(target.chat_id, async (own) => client.removeButtons?.(target, { id, text }, own));
    buttons.until.addEventListener("abort", remove, { once: true });
    if (buttons.until.aborted) remove();
  }

  return {
    attempt,
    send(target, pieces, buttons) {
      return inOrder(target.chat_id, () =>
        sendPieces(target, pieces, buttons).catch((thrown: unknown) => {
          throw sendError(platform, callFailureOf(thrown));
        }),
      );
    },
    async idle() {
      while (last.size > 0) await Promise.allSettled(last.values());
    },
  };
}
