/** The end that a signal asks for: the closing hooks have five seconds from then on, all of them together (§3). */

const CLOSING_MS = 5000;

/** Then the program ends without what still runs: a plugin's `on_unload`, a script in the background. */
const LAST_WORDS_MS = 1500;

/** A key pressed over and over is one wish: what comes this soon after the first signal must not cost the hooks theirs. */
export const ONE_WISH_MS = 1000;

export interface Closing {
  /** Aborts when the closing hooks are no longer waited for. Never does unless a signal came. */
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or undefined. */
  readonly code: number | undefined;
  /** A signal came. The first one starts the clock; whoever asks again later does not want to wait: the program ends. */
  shutdown(code: number): void;
}

export function createClosing(): Closing {
  const controller = new AbortController();
  let asked: number | undefined;
  let askedAt = 0;
  return {
    signal: controller.signal,
    get code() {
      return asked;
    },
    shutdown(code) {
      if (asked !== undefined) {
        if (performance.now() - askedAt > ONE_WISH_MS) process.exit(code);
        return;
      }
      asked = code;
      askedAt = performance.now();
      setTimeout(() => controller.abort(), CLOSING_MS).unref();
      setTimeout(() => process.exit(code), CLOSING_MS + LAST_WORDS_MS).unref();
    },
  };
}
