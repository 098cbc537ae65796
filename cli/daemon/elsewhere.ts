/** How commands reach a daemon of another machine: through the storage that both share. */
import { setTimeout as pause } from "node:timers/promises";
import { HermesError } from "#core/errors";
import type { PlacedDaemon } from "#core/ports/daemon-directory";
import { MOST_QUEUED, type Handled } from "#core/ports/inbox";
import type { SharedStorage } from "./find.ts";

/** How often it is looked, whatever was heard. */
const LOOK_MS = 2000;
/** The drain's 30 s, the time that its last hooks may take, and a lost heartbeat. */
const LONGEST_MS = 60_000;

export interface Elsewhere {
  readonly daemon: PlacedDaemon;
  readonly storage: SharedStorage;
}

/** Stores a message for a daemon, which hears of it. Gives its id. Rejects with HERMES_INBOX_FULL. */
export async function sendElsewhere({ daemon, storage }: Elsewhere, content: string): Promise<string> {
  const { name } = daemon;
  const added = await storage.inbox.add({ session: name, source: "inject", label: "send", content });
  if (added.kind === "stored") return added.id;
  throw new HermesError("HERMES_INBOX_FULL", { name, most: MOST_QUEUED });
}

/** Resolves when the turn of a message has ended. Rejects with HERMES_DAEMON_ANSWER when its daemon ends before that. */
export async function answerFromElsewhere({ daemon, storage }: Elsewhere, id: string): Promise<Handled> {
  const { name, host } = daemon;
  using heard = listen(storage, name);
  for (;;) {
    const isRunning = (await storage.daemons.list()).some((one) => one.name === name);
    const handled = await storage.daemons.handled(id);
    if (handled === "missing") throw unanswered(name, "the message was deleted before its turn ended");
    if (handled !== undefined) return handled;
    if (!isRunning) throw unanswered(name, `it no longer runs on ${host}; the message waits for its next start`);
    await heard.next();
  }
}

/** Asks a daemon to end, and resolves when it has. Rejects with HERMES_DAEMON_ANSWER. */
export async function stopElsewhere({ daemon, storage }: Elsewhere): Promise<void> {
  const { name, host, pid, started_at } = daemon;
  const deadline = performance.now() + LONGEST_MS;
  using heard = listen(storage, name);
  await storage.daemons.askToStop(name);
  while ((await storage.daemons.list()).some((one) => one.name === name && one.started_at === started_at)) {
    if (performance.now() > deadline) throw unanswered(name, `it is still running on ${host} (pid ${pid})`);
    await heard.next();
  }
}

/** `next` resolves when something was heard of a daemon, and after a while. */
function listen(storage: SharedStorage, name: string): Disposable & { next(): Promise<void> } {
  let news = Promise.withResolvers<void>();
  const listener = storage.onWake((_kind, session) => {
    if (session === undefined || session === name) news.resolve();
  });
  return {
    async next() {
      const tired = new AbortController();
      await Promise.race([news.promise, pause(LOOK_MS, undefined, { signal: tired.signal }).catch(() => undefined)]);
      tired.abort();
      news = Promise.withResolvers();
    },
    [Symbol.dispose]: () => listener[Symbol.dispose](),
  };
}

function unanswered(name: string, problem: string): HermesError {
  return new HermesError("HERMES_DAEMON_ANSWER", { name, problem });
}
