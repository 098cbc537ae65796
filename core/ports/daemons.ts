/** The daemons of a home as other surfaces show them, with what waits for those that do not run. */
import type { HookAddress } from "./inbound.ts";
import type { InboxFilter, InboxMessage, InboxSource } from "./inbox.ts";
import type { Schedule } from "./schedules.ts";

export const DAEMON_STATES = ["idle", "running", "draining", "stopped"] as const;

export interface ShownDaemon {
  readonly name: string;
  /** `stopped` for one that does not run, but has messages or schedules. */
  readonly state: (typeof DAEMON_STATES)[number];
  /** Messages that wait. */
  readonly queued: number;
  /** Null for one that does not run; so are `pid` and `started_at`. */
  readonly session_id: string | null;
  readonly pid: number | null;
  /** Its inbound webhooks; without an address when it does not serve them. */
  readonly hooks: readonly (Pick<HookAddress, "name"> & { [Key in "url" | "verify"]: string | null })[];
  readonly started_at: string | null;
  /** When its next schedule is due; null without one. */
  readonly next_at: string | null;
}

/** Reads daemons; texts are without secrets. Every method rejects with what the engine throws. */
export interface DaemonDesk {
  /** Those that run, then those that do not but have messages that wait or schedules; each by name. */
  list(): Promise<readonly ShownDaemon[]>;
  /** Undefined for a name that does not run and has neither messages nor schedules. */
  get(name: string): Promise<ShownDaemon | undefined>;
  /** The next one first. */
  schedules(name?: string): Promise<readonly Schedule[]>;
  /** The newest first. */
  messages(name: string, filter: InboxFilter): Promise<readonly InboxMessage[]>;
  /** How many messages wait, by source; every source is there. */
  queued(name: string): Promise<ReadonlyMap<InboxSource, number>>;
}
