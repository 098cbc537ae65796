/** The daemons of a home for surfaces without a command line: the dashboard's page. */
import type { DaemonDesk, ShownDaemon } from "#core/ports/daemons";
import type { Schedule } from "#core/ports/schedules";
import type { Storage } from "#core/ports/storage";
import { daemonsEverywhere, type RunningDaemon } from "./statuses.ts";

export interface DaemonDeskOptions {
  readonly storage: () => Promise<Pick<Storage, "inbox" | "schedules" | "daemons">>;
  /** The home's folder `run`. */
  readonly run: string;
  readonly redact: (text: string) => string;
}

/** How long a daemon may take to say how it is: less than a page waits before it asks again. */
const ANSWER_MS = 500;

export function createDaemonDesk({ storage, run, redact }: DaemonDeskOptions): DaemonDesk {
  async function list(): Promise<readonly ShownDaemon[]> {
    const { inbox, schedules } = await storage();
    const running = await daemonsEverywhere(run, { answerMs: ANSWER_MS, storage });
    const waiting = await inbox.waiting();
    const next = nextOf(await schedules.list());
    const names = new Set(running.map(({ status }) => status.name));
    const stopped = [...new Set([...waiting.keys(), ...next.keys()])].filter((name) => !names.has(name)).toSorted();
    return [
      ...running.map((daemon) => shownRunning(daemon, next, redact)),
      ...stopped.map((name) => shownStopped(name, waiting.get(name) ?? 0, next)),
    ];
  }

  return {
    list,
    async get(name) {
      const found = (await list()).find((daemon) => daemon.name === name);
      if (found !== undefined) return found;
      const { inbox } = await storage();
      const [any] = await inbox.list(name, { limit: 1 });
      return any && shownStopped(name, 0, new Map());
    },
    async schedules(name) {
      const { schedules } = await storage();
      return (await schedules.list(name)).map((one) => ({ ...one, prompt: redact(one.prompt) }));
    },
    async messages(name, filter) {
      const { inbox } = await storage();
      const messages = await inbox.list(name, filter);
      return messages.toReversed().map((one) => ({ ...one, label: redact(one.label), content: redact(one.content) }));
    },
    queued: async (name) => (await storage()).inbox.queued(name),
  };
}

/** When the next schedule of each daemon is due. They come in that order. */
function nextOf(schedules: readonly Schedule[]): ReadonlyMap<string, string> {
  return new Map(schedules.toReversed().map(({ name, next_at }) => [name, next_at]));
}

function shownRunning(
  { status, addresses }: RunningDaemon,
  next: ReadonlyMap<string, string>,
  redact: (text: string) => string,
): ShownDaemon {
  const byName = new Map(addresses.map((address) => [address.name, address]));
  const hooks = status.hooks.map((name) => {
    const { url, verify } = byName.get(name) ?? { url: null, verify: null };
    return { name, url: url === null ? null : redact(url), verify };
  });
  return { ...status, hooks, next_at: next.get(status.name) ?? null };
}

function shownStopped(name: string, queued: number, next: ReadonlyMap<string, string>): ShownDaemon {
  const nothing = { session_id: null, pid: null, hooks: [], started_at: null };
  return { name, state: "stopped", queued, ...nothing, next_at: next.get(name) ?? null };
}
