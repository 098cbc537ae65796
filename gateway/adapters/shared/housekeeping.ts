/**
 * Edits and deletions of drafts and buttons. They may be late or fail: no answer waits for them, and they wait while the
 * platform has asked for a pause in their chat.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { growingPause } from "#core/backoff";
import { BoundedMap } from "#core/bounded-map";
import type { Log } from "#core/home/log";
import { callFailureOf, type CallFailure } from "./call-failure.ts";

export interface HousekeepingTiming {
  /** How long a call may take. */
  readonly tidyCallMs: number;
  /** How long after its start a deletion is given up. */
  readonly tidyMs: number;
  /** Before the second attempt of a deletion without an answer; doubled each time. */
  readonly retryMs: number;
  /** The longest pause that an answer waits for. */
  readonly budgetMs: number;
}

export interface Housekeeping {
  /** Remembers the pause that the platform asks for after a call in the chat. */
  note(chatId: string, failure: CallFailure): void;
  /** How long calls in the chat must pause from now on, in milliseconds. */
  pauseOf(chatId: string): number;
  /** Waits until there may be calls in the chat again, unless that takes very long. */
  wait(chatId: string): Promise<void>;
  /** The signal of one call. `over` ends it early. */
  signal(over?: AbortSignal): AbortSignal;
  /** Makes a call after those before it in the chat, with retries. Returns at once. */
  later(chatId: string, call: (signal: AbortSignal) => Promise<void>): void;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

const MOST_CHATS = 1000;
/** Maximum number of calls that wait in one chat. */
const MOST_WAITING = 50;

export interface HousekeepingOptions {
  readonly platform: string;
  readonly log: Log;
  readonly timing: HousekeepingTiming;
  /** Ends everything when the program exits. */
  readonly closing: AbortSignal;
}

export function createHousekeeping({ platform, log, timing, closing }: HousekeepingOptions): Housekeeping {
  const { tidyCallMs, tidyMs, retryMs, budgetMs } = timing;
  const pausedUntil = new BoundedMap<string, number>(MOST_CHATS);
  const queues = new Map<string, { last: Promise<void>; waiting: number }>();

  function note(chatId: string, { retryAfterMs }: CallFailure): void {
    if (retryAfterMs === null) return;
    pausedUntil.set(chatId, Math.max(pausedUntil.get(chatId) ?? 0, performance.now() + retryAfterMs));
  }

  function pauseOf(chatId: string): number {
    return Math.max(0, (pausedUntil.get(chatId) ?? 0) - performance.now());
  }

  function signal(over?: AbortSignal): AbortSignal {
    const signals = [closing, AbortSignal.timeout(tidyCallMs)];
    return AbortSignal.any(over === undefined ? signals : [...signals, over]);
  }

  async function wait(chatId: string): Promise<void> {
    const pause = pauseOf(chatId);
    if (pause > 0 && pause <= budgetMs) await sleep(pause, undefined, { signal: closing }).catch(() => undefined);
  }

  async function attempt(chatId: string, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const until = performance.now() + tidyMs;
    const backoff = { firstPause: retryMs, longestPause: tidyMs };
    for (let failures = 0, pause = 0; ; pause = growingPause(failures++, backoff)) {
      const next = Math.max(pause, pauseOf(chatId));
      if (performance.now() + next > until) throw new Error(`${platform} asks to wait for too long`);
      // It must not keep the program running.
      if (next > 0) await sleep(next, undefined, { signal: closing, ref: false });
      try {
        return await call(signal());
      } catch (thrown) {
        const failure = callFailureOf(thrown);
        note(chatId, failure);
        if (failure.kind !== "temporary" || closing.aborted) throw failure;
      }
    }
  }

  function later(chatId: string, call: (signal: AbortSignal) => Promise<void>): void {
    const queue = queues.get(chatId) ?? { last: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= MOST_WAITING) return log.debug(`${platform}: too many drafts wait to be deleted`);
    queues.set(chatId, queue);
    queue.waiting++;
    queue.last = queue.last
      .then(() => attempt(chatId, call))
      // Half an answer, or a button, stays in the chat, which is not worth failing for.
      .catch((thrown: unknown) =>
        log.debug(`${platform}: a message could not be tidied up: ${callFailureOf(thrown).message}`),
      )
      .finally(() => {
        if (--queue.waiting === 0) queues.delete(chatId);
      });
  }

  return {
    note,
    pauseOf,
    wait,
    signal,
    later,
    async idle() {
      while (queues.size > 0) await Promise.all([...queues.values()].map(({ last }) => last));
    },
  };
}
