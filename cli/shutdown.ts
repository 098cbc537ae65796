/** How signals end the program: at once, after a drain, or after the closing hooks, which have five seconds (CONTRACT §3). */
import { EXIT } from "#core/errors";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The closing hooks have this long after the first request, all of them together. */
const CLOSING_MS = 5000;
/** Then the program ends without what still runs: a plugin's `on_unload`, a script in the background. */
const LAST_WORDS_MS = 1500;
/**
 * Requests this soon after the first are the same one: a key that is pressed over and over, or the Ctrl+C that the
 * terminal sends to everybody and `npx` passes on once more.
 */
const SAME_REQUEST_MS = 1000;

export interface Shutdown {
  /** Aborts when the closing hooks are no longer waited for. Never does unless the shutdown was requested. */
  readonly signal: AbortSignal;
  /** The exit code of the first request, or undefined. */
  readonly code: number | undefined;
  /** The first request starts the clock; a later one ends the program. */
  request(code: number): void;
}

export function createShutdown(): Shutdown {
  const controller = new AbortController();
  let asked: number | undefined;
  const request = tellRequests({
    onFirst(code) {
      asked = code;
      setTimeout(() => controller.abort(), CLOSING_MS).unref();
      setTimeout(() => process.exit(code), CLOSING_MS + LAST_WORDS_MS).unref();
    },
    onAgain: (code) => process.exit(code),
  });
  return {
    signal: controller.signal,
    get code() {
      return asked;
    },
    request,
  };
}

/** Resolves at the first signal to stop; `onAgain` gets the exit code of a later one. */
export function untilStopped(onAgain: (code: number) => void): Promise<void> {
  return new Promise((resolve) => {
    onStopSignal(tellRequests({ onFirst: () => resolve(), onAgain }));
  });
}

/** Calls `listener` with the exit code of each signal to stop, until the returned function is called. */
export function onStopSignal(listener: (code: number) => void): () => void {
  const take = (signal: NodeJS.Signals) => listener(signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated);
  for (const signal of SIGNALS) process.on(signal, take);
  return () => {
    for (const signal of SIGNALS) process.off(signal, take);
  };
}

/** Runs `work` with a signal that Ctrl+C aborts; a second Ctrl+C ends the program. */
export async function interruptible<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

interface StopListeners {
  readonly onFirst: (code: number) => void;
  readonly onAgain: (code: number) => void;
}

function tellRequests({ onFirst, onAgain }: StopListeners): (code: number) => void {
  let askedAt: number | undefined;
  return (code) => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      onFirst(code);
    } else if (performance.now() - askedAt > SAME_REQUEST_MS) onAgain(code);
  };
}
