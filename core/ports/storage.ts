/**
 * The port of what outlives a process and may be shared by machines (DESIGN "Storage"): tasks, deliveries, inbox
 * messages and schedules. Sessions, logs, approvals and recordings are not part of it: they stay in the home of the
 * machine where a turn runs.
 */
import type { CounterStore } from "./counters.ts";
import type { DaemonDirectory } from "./daemon-directory.ts";
import type { DeliveryStore } from "./deliveries.ts";
import type { InboundRunStore } from "./inbound.ts";
import type { InboxStore } from "./inbox.ts";
import type { OutputStore } from "./outputs.ts";
import type { ScheduleStore } from "./schedules.ts";
import type { TaskStore } from "./tasks.ts";
import type { WorkerStore } from "./workers.ts";

/** What others can be told to look for. */
export const WAKE_KINDS = ["tasks", "deliveries", "inbox", "schedules", "daemons"] as const;
export type WakeKind = (typeof WAKE_KINDS)[number];

/** One engine's stores. A change in one of them and the rows of another that report it are one transaction. */
export interface Storage extends AsyncDisposable {
  readonly tasks: TaskStore;
  readonly workers: WorkerStore;
  readonly outputs: OutputStore;
  readonly deliveries: DeliveryStore;
  readonly inbox: InboxStore;
  readonly schedules: ScheduleStore;
  readonly inboundRuns: InboundRunStore;
  readonly counters: CounterStore;
  /** Of all machines; undefined for a home by itself, whose folder `run/` says which daemons run. */
  readonly daemons?: DaemonDirectory;
  /** The time that all who share it agree on, in milliseconds since 1970. */
  now(): Promise<number>;
  /**
   * Calls `listener` when another machine has stored something of a kind, and after a time in which that could not be
   * heard. The processes of one home wake each other without it. `session` is the daemon's, where it is known.
   */
  onWake(listener: (kind: WakeKind, session?: string) => void): Disposable;
  /** Rejects when a database other than the home's own takes no writes. */
  probe(): Promise<void>;
}
