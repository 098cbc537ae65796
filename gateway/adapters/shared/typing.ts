/** Shows "typing…" in chats with messages being processed. */
import type { ReplyTarget } from "#core/ports/platform";
import type { TypingClient } from "./message-client.ts";

export interface TypingTiming {
  /** The delay before it is shown: immediate answers and refusals do not need it. */
  readonly typingDelayMs: number;
  /** How often it is shown again, since platforms hide it after a few seconds. */
  readonly typingMs: number;
}

export interface Typing {
  /** Shows it until the promise settles, however many messages of the chat are pending. */
  while(target: ReplyTarget, work: Promise<void>): Promise<void>;
  stop(): void;
}

/** It is not shown for longer, because then something else is wrong. */
const LONGEST_MS = 30 * 60_000;

interface Shown {
  open: number;
  timer: NodeJS.Timeout;
}

export function createTyping(client: TypingClient, { typingDelayMs, typingMs }: TypingTiming): Typing {
  const chats = new Map<string, Shown>();

  /** Schedules showing it again and again. */
  function later(key: string, target: ReplyTarget, ms: number, until: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      const chat = chats.get(key);
      if (chat === undefined || performance.now() > until) return;
      // A failure here does not matter; sending the answer will report what is wrong.
      client.showTyping(target).catch(() => undefined);
      chat.timer = later(key, target, typingMs, until);
    }, ms);
    // It must not keep the program running.
    return timer.unref();
  }

  function end(key: string): void {
    const chat = chats.get(key);
    if (chat === undefined || --chat.open > 0) return;
    clearTimeout(chat.timer);
    chats.delete(key);
  }

  return {
    async while(target, work) {
      const key = JSON.stringify([target.chat_id, target.thread_id]);
      const chat = chats.get(key);
      if (chat !== undefined) chat.open++;
      else chats.set(key, { open: 1, timer: later(key, target, typingDelayMs, performance.now() + LONGEST_MS) });
      await work.finally(() => end(key));
    },
    stop() {
      for (const { timer } of chats.values()) clearTimeout(timer);
      chats.clear();
    },
  };
}
