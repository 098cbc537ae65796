/** How the running daemons of a home are, as `hermes ps` and the dashboard show them. */
import { hostname } from "node:os";
import { withDeadline } from "#core/deadline";
import type { HookAddress } from "#core/ports/inbound";
import { totalOf } from "#core/ports/inbox";
import type { Storage } from "#core/ports/storage";
import { DaemonClient } from "#daemon/session/client";
import { listDaemons, type DaemonEntry } from "#daemon/session/place";
import type { DaemonStatus } from "#daemon/session/wire";

/** A running daemon, and where it takes the requests of its webhooks. */
export interface RunningDaemon {
  readonly status: DaemonStatus;
  readonly addresses: readonly HookAddress[];
  /** The name of its machine, where several share a storage. */
  readonly host?: string | undefined;
  /** False for one of another home. */
  readonly isHere: boolean;
}

export interface EverywhereOptions {
  /** How long a daemon of this home may take to say how it is. */
  readonly answerMs: number;
  readonly storage: () => Promise<Pick<Storage, "inbox" | "daemons">>;
}

interface StatusOptions {
  /** How long a daemon may take to say how it is. */
  readonly answerMs: number;
  /** What waits for a daemon that is too busy to answer. */
  readonly countQueued: (name: string) => Promise<number>;
}

/** The running daemons of a home, and of all others that share its storage, by name. Rejects with HERMES_DATABASE_*. */
export async function daemonsEverywhere(run: string, options: EverywhereOptions): Promise<readonly RunningDaemon[]> {
  const { answerMs, storage } = options;
  const { daemons, inbox } = await storage();
  const countQueued = async (name: string) => totalOf(await inbox.queued(name));
  const here = await runningDaemons(run, { answerMs, countQueued });
  if (daemons === undefined) return here;
  const names = new Set(here.map(({ status }) => status.name));
  const others = (await daemons.list()).filter(({ name }) => !names.has(name));
  const all = [
    ...here.map((daemon) => ({ ...daemon, host: hostname() })),
    ...others.map(({ host, ...status }) => ({ status, addresses: [], host, isHere: false })),
  ];
  return all.toSorted((one, other) => (one.status.name < other.status.name ? -1 : 1));
}

/** Asks all running daemons of a home at once; they are sorted by name. Rejects with what `countQueued` throws. */
async function runningDaemons(run: string, options: StatusOptions): Promise<readonly RunningDaemon[]> {
  const found = await Promise.all(
    listDaemons(run).map(async (entry): Promise<RunningDaemon | undefined> => {
      const status = await statusOf(entry, run, options);
      return status && { status, addresses: entry.addresses ?? [], isHere: true };
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** Undefined for one that has ended meanwhile. */
async function statusOf(
  entry: DaemonEntry,
  run: string,
  { answerMs, countQueued }: StatusOptions,
): Promise<DaemonStatus | undefined> {
  const given = new AbortController();
  const asked = await withDeadline(answerMs, () => ask(entry, given.signal), { keepsAlive: false });
  given.abort();
  if (asked.kind === "value") return asked.value;
  if (!listDaemons(run).some(({ pid, name }) => pid === entry.pid && name === entry.name)) return undefined;
  // It is too busy to answer, but what waits is in the database.
  const { name, session_id, pid, hooks, started_at } = entry;
  return { name, session_id, pid, state: "running", queued: await countQueued(name), hooks, started_at };
}

/** Closes the connection when the signal aborts: a daemon that is stopped never answers. */
async function ask(entry: DaemonEntry, signal: AbortSignal): Promise<DaemonStatus> {
  using client = await DaemonClient.connect(entry);
  signal.addEventListener("abort", () => client[Symbol.dispose](), { once: true });
  client.say({ type: "status" });
  const { type: _, ...status } = await client.expect("status");
  return status;
}
