/** "typing…", shown again and again until something stands in its place. */
import type { ReplyTarget } from "#core/ports";
import type { TelegramClient } from "./client.ts";

/** A turn that takes longer has no need of it any more. */
const LONGEST_MS = 10 * 60_000;

/** Gives what ends it; calling that twice does no harm. */
export function showTyping(client: TelegramClient, target: ReplyTarget, everyMs: number): () => void {
  const until = performance.now() + LONGEST_MS;
  const show = (): void => {
    if (performance.now() > until) return stop();
    // An ornament: that it cannot be shown is worth no word, and the answer itself will say what is wrong.
    client.showTyping(target).catch(() => undefined);
  };
  const timer = setInterval(show, everyMs);
  // The program need not live on for it.
  timer.unref();
  const stop = (): void => clearInterval(timer);
  show();
  return stop;
}
