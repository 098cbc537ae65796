/** Sends messages: in order per chat, in pieces, with retries where they help. */
import { setTimeout as sleep } from "node:timers/promises";
import { growingPause } from "#core/backoff";
import { BoundedMap } from "#core/bounded-map";
import { HermesError } from "#core/errors";
import type { ReplyTarget } from "#core/ports/platform";
import type { TelegramClient } from "./client.ts";
import { telegramFailureOf, type TelegramFailure } from "./failure.ts";
import type { Housekeeping } from "./housekeeping.ts";

export interface Outgoing {
  /** Runs the task when all earlier ones of the chat have ended. */
  inOrder<Value>(chatId: string, task: () => Promise<Value>): Promise<Value>;
  /** Makes a call for a chat, with retries where they may help. Throws a TelegramFailure. */
  attempt<Value>(chatId: string, call: () => Promise<Value>): Promise<Value>;
  /** Sends the pieces in order; pieces that a failed call of the same text has already sent are not sent again. */
  sendPieces(target: ReplyTarget, pieces: readonly string[]): Promise<void>;
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

export interface OutgoingOptions {
  readonly client: TelegramClient;
  readonly timing: OutgoingTiming;
  readonly housekeeping: Pick<Housekeeping, "note">;
  /** Cuts waits short when the program exits. */
  readonly signal: AbortSignal;
}

export function createOutgoing({ client, timing, housekeeping, signal }: OutgoingOptions): Outgoing {
  const last = new Map<string, Promise<unknown>>();
  const sentOf = new BoundedMap<string, number>(MOST_UNFINISHED);

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
        const failure = telegramFailureOf(thrown);
        housekeeping.note(chatId, failure);
        const wait =
          failure.retryAfterMs ??
          growingPause(count - 1, { firstPause: timing.retryMs, longestPause: timing.budgetMs });
        if (!failure.mayPass || count === MOST_ATTEMPTS || performance.now() + wait > until) throw failure;
        await sleep(wait, undefined, { signal }).catch(() => {
          throw failure;
        });
      }
    }
  }

  async function sendPieces(target: ReplyTarget, pieces: readonly string[]): Promise<void> {
    const key = JSON.stringify([target.chat_id, target.thread_id, pieces]);
    for (let index = sentOf.get(key) ?? 0; index < pieces.length; index++) {
      await attempt(target.chat_id, () => client.sendMessage(target, pieces[index]!)).catch((thrown: unknown) => {
        const failure = telegramFailureOf(thrown);
        sentOf.delete(key);
        if (failure.mayPass && index > 0) sentOf.set(key, index);
        throw failure;
      });
    }
    sentOf.delete(key);
  }

  return {
    inOrder,
    attempt,
    sendPieces,
    async idle() {
      while (last.size > 0) await Promise.allSettled(last.values());
    },
  };
}

/** Sends finished pieces. Rejects with HERMES_ADAPTER_SEND, `permanent` when a retry would not help. */
export function sendFinished(outgoing: Outgoing, target: ReplyTarget, pieces: readonly string[]): Promise<void> {
  return outgoing.inOrder(target.chat_id, () =>
    outgoing.sendPieces(target, pieces).catch((thrown: unknown) => {
      throw sendError(telegramFailureOf(thrown));
    }),
  );
}

/** A failure as an error for users. */
export function sendError(failure: TelegramFailure): HermesError {
  const error = new HermesError("HERMES_ADAPTER_SEND", { platform: "telegram", problem: failure.message });
  const isPermanent = failure.status === 400 || failure.status === 403;
  return isPermanent ? Object.assign(error, { permanent: true }) : error;
}
