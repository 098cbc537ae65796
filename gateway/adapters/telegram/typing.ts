/** "typing…" in the chats whose messages are being dealt with. */
import type { ReplyTarget } from "#core/ports/platform";
import type { TelegramClient } from "./client.ts";

export interface TypingTiming {
  /** Before it is shown first: what is answered or refused at once needs none. */
  readonly typingDelayMs: number;
  /** How often it is shown again; Telegram takes it away after five seconds. */
  readonly typingMs: number;
}

export interface Typing {
  /** Shows it until the promise settles, however many messages of the chat are open. */
  while(target: ReplyTarget, work: Promise<void>): Promise<void>;
  stop(): void;
}

/** A message that is open for longer is shown no more: something else is wrong then. */
const LONGEST_MS = 30 * 60_000;

interface Shown {
  open: number;
  timer: NodeJS.Timeout;
}

export function createTyping(client: TelegramClient, { typingDelayMs, typingMs }: TypingTiming): Typing {
  const chats = new Map<string, Shown>();

  /** The next showing, and after it the one after that. */
  function later(key: string, target: ReplyTarget, ms: number, until: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      const chat = chats.get(key);
      if (chat === undefined || performance.now() > until) return;
      // An ornament: that it cannot be shown is worth no word, and the answer itself will say what is wrong.
      client.showTyping(target).catch(() => undefined);
      chat.timer = later(key, target, typingMs, until);
    }, ms);
    // The program need not live on for it.
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
