/** Long polling: fetches updates in order, through outages of any length. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Backoff } from "#core/backoff";
import type { Log } from "#core/home/log";
import { createOutage } from "#gateway/adapters/shared/outage";
import type { TelegramClient } from "./client.ts";
import { telegramFailureOf, type TelegramFailure } from "./failure.ts";
import { updateId } from "./updates.ts";

export interface PollTiming extends Backoff {
  /** How long the server may hold a poll without updates. */
  readonly pollSeconds: number;
  /** How much longer it may take before the connection is considered dead. */
  readonly pollSlackMs: number;
}

export interface PollOptions {
  readonly client: TelegramClient;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
  readonly timing: PollTiming;
  /** Takes an update. Its promise is only awaited when very many are pending. */
  readonly hand: (update: unknown) => Promise<void>;
  /** Ends the polling. */
  readonly signal: AbortSignal;
}

/** Maximum number of pending messages; Telegram keeps further ones for us. */
const MOST_OPEN = 1000;
/** The pause after a poll without updates that the server answered immediately. */
const IDLE_PAUSE_MS = 300;
/** How long a stop waits to confirm the last updates. */
const CONFIRM_MS = 2000;

/** Polls until the signal aborts. Never rejects. */
export async function pollUpdates({ client, log, warn, timing, hand, signal }: PollOptions): Promise<void> {
  const outage = createOutage({ platform: "telegram", log, warn, backoff: timing });
  const open = createGate(MOST_OPEN);
  let offset = 0;

  async function pollOnce(): Promise<number> {
    const began = performance.now();
    const updates = await client.getUpdates(offset, timing.pollSeconds, signal);
    outage.end();
    const before = offset;
    for (const update of updates) {
      const id = updateId(update);
      if (id === null) continue;
      offset = id + 1;
      open.add(hand(update));
    }
    await open.room();
    const isIdle = offset === before && performance.now() - began < IDLE_PAUSE_MS;
    return isIdle ? IDLE_PAUSE_MS : 0;
  }

  while (!signal.aborted) {
    const pause = await pollOnce().catch((thrown: unknown) => {
      const failure = telegramFailureOf(thrown);
      const { message: problem, retryAfterMs } = failure;
      return signal.aborted ? 0 : outage.note({ problem, retryAfterMs, advice: adviceFor(failure) });
    });
    // The loop notices an abort during the pause.
    if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  if (offset > 0) await confirm(client, offset, log);
}

/** Confirms the last updates; otherwise the server would send them again at the next start. */
async function confirm(client: TelegramClient, offset: number, log: Log): Promise<void> {
  await client.getUpdates(offset, 0, AbortSignal.timeout(CONFIRM_MS)).catch((thrown: unknown) => {
    const { message } = telegramFailureOf(thrown);
    log.debug(`telegram: the last updates could not be confirmed and may arrive again: ${message}`);
  });
}

function adviceFor({ status, message }: TelegramFailure): string {
  if (status === 401) return "Check gateway.platforms.telegram.token";
  if (status !== 409) return "";
  return message.includes("webhook")
    ? "The bot has a webhook; remove it with the Bot API's deleteWebhook"
    : "Another program is fetching this bot's messages; stop it, or use another token";
}

/** Counts pending promises. */
function createGate(most: number) {
  const open = new Set<Promise<void>>();
  return {
    add(promise: Promise<void>): void {
      open.add(promise);
      void promise.finally(() => open.delete(promise));
    },
    /** Resolves when fewer than `most` are pending. */
    async room(): Promise<void> {
      while (open.size >= most) await Promise.race(open);
    },
  };
}
