/** How signals end the program: immediately, after a drain, or after the closing hooks (CONTRACT §3). */
import { closeSync, constants, openSync } from "node:fs";
import { EXIT } from "#core/errors";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How long all closing hooks together may take after the first request. */
const CLOSING_MS = 5000;
/** After this, the program exits without waiting for a plugin's `on_unload` or background scripts. */
const LAST_WORDS_MS = 1500;
/**
 * Requests this soon after the first are treated as the same one: a key that is held down, or a Ctrl+C that both the
 * terminal and `npx` send.
 */
const SAME_REQUEST_MS = 1000;

export interface Shutdown {
  /** Aborts when the time of the closing hooks is up. */
  readonly signal: AbortSignal;
  /** The exit code of the first request, or undefined. */
  readonly code: number | undefined;
  /** The first request starts the timeout; a later one ends the program. */
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

/** Resolves at the first stop signal, which `onFirst` hears at once; `onAgain` gets the exit code of a later one. */
export function untilStopped(onAgain: (code: number) => void, onFirst = () => {}): Promise<void> {
  return new Promise((resolve) => {
    onStopSignal(
      tellRequests({
        onFirst: () => {
          onFirst();
          resolve();
        },
        onAgain,
      }),
    );
  });
}

/** Calls `listener` with the exit code of each stop signal, until the returned function is called. */
export function onStopSignal(listener: (code: number) => void): () => void {
  const take = (signal: NodeJS.Signals) => {
    if (signal === "SIGHUP" && takeHangup()) return;
    listener(signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated);
  };
  for (const signal of SIGNALS) process.on(signal, take);
  return () => {
    for (const signal of SIGNALS) process.off(signal, take);
  };
}

/** Who takes SIGHUP instead, and whether the program had a terminal when the first of them came. */
const hangupListeners = new Set<() => void>();
let hadTerminal = false;

/**
 * Calls `listener` at SIGHUP, which then is no stop signal, until the returned function is called. The SIGHUP of a
 * terminal that is closed remains one.
 */
export function onHangup(listener: () => void): () => void {
  if (hangupListeners.size === 0) hadTerminal = hasTerminal();
  hangupListeners.add(listener);
  return () => void hangupListeners.delete(listener);
}

/** True if a listener took the SIGHUP. */
function takeHangup(): boolean {
  if (hangupListeners.size === 0 || (hadTerminal && !hasTerminal())) return false;
  for (const listener of hangupListeners) listener();
  return true;
}

/** Whether the process has a controlling terminal; one that is closed is none. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
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
