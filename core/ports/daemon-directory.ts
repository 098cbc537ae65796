/**
 * The port of the daemons of several machines (CONTRACT §16): who has which name, for machines that do not see each
 * other's folder `run/`.
 */
import type { Handled } from "./inbox.ts";

export const RUNNING_STATES = ["idle", "running", "draining"] as const;
export type RunningState = (typeof RUNNING_STATES)[number];

/** What a daemon says of itself. */
export interface DaemonReport {
  readonly session_id: string;
  readonly state: RunningState;
  /** The names of its inbound webhooks. */
  readonly hooks: readonly string[];
}

/** A daemon that runs, on this machine or another one. */
export interface PlacedDaemon extends DaemonReport {
  readonly name: string;
  /** The name of its machine. */
  readonly host: string;
  readonly pid: number;
  /** Messages that wait. */
  readonly queued: number;
  /** ISO-8601, UTC. */
  readonly started_at: string;
}

/** How a name is held. */
export interface DaemonHold extends AsyncDisposable {
  /**
   * Says that this process still has the name. `stop` when somebody asks it to end, `lost` when another process has the
   * name, because this one was not heard of for too long. `queued` messages wait.
   */
  beat(report: DaemonReport): Promise<{ readonly kind: "kept" | "stop" | "lost"; readonly queued: number }>;
}

/** Every method rejects with what the engine throws. */
export interface DaemonDirectory {
  /** Gives this process a name that nobody else has anywhere. Rejects with HERMES_DAEMON_RUNNING. */
  hold(name: string, report: DaemonReport): Promise<DaemonHold>;
  /** Those that run, by name. */
  list(): Promise<readonly PlacedDaemon[]>;
  /** Asks a daemon to end. False when none of this name runs. */
  askToStop(name: string): Promise<boolean>;
  /** How the turn of a message ended; undefined while it has not, and `missing` for a message that there is not. */
  handled(message: string): Promise<Handled | "missing" | undefined>;
}
