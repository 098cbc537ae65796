import { HEARTBEAT_MS } from "#core/heartbeat";

/** Calls `beat` now and every few seconds, one after another, and `end` at the end. Resolves after the first one. */
export async function startHeartbeat(beat: () => Promise<void>, end: () => Promise<void>): Promise<AsyncDisposable> {
  // A store that is away is told by a later one, and the worker itself says that it is away.
  const attempt = () => beat().catch(() => undefined);
  let last = attempt();
  const timer = setInterval(() => {
    last = last.then(attempt);
  }, HEARTBEAT_MS).unref();
  await last;
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await last;
      await end().catch(() => undefined);
    },
  };
}
