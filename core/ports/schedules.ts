/** The port of stored schedules (CONTRACT §13). Every method is asynchronous, and each is one transaction. */
import type { AddedMessage } from "./inbox.ts";

/** A schedule as people see it; the time is ISO-8601, UTC. */
export interface Schedule {
  /** 16 lower-case letters and digits. */
  readonly id: string;
  /** The session that gets the prompt. */
  readonly name: string;
  /** As it was written. */
  readonly when: string;
  readonly prompt: string;
  readonly next_at: string;
}

/** A schedule, and when its next time was set. */
export interface StoredSchedule extends Schedule {
  /** ISO-8601, UTC; in the future if the clock was set back since. */
  readonly set_at: string;
}

export interface NewSchedule {
  readonly name: string;
  readonly when: string;
  readonly prompt: string;
  readonly nextAt: Date;
}

/** What became of a schedule that is due; `gone` if it was removed or another process was first. */
export type FiredSchedule = AddedMessage | { readonly kind: "gone" };

/** The schedules of a home. Every method rejects with what the engine throws. */
export interface ScheduleStore {
  add(schedule: NewSchedule): Promise<Schedule>;
  /** Those of one session or all of them, the next one first. */
  list(name?: string): Promise<readonly StoredSchedule[]>;
  /** Every id that begins like this, at most ten. */
  find(beginning: string): Promise<readonly string[]>;
  /** False when there is none. */
  remove(id: string): Promise<boolean>;
  /** Sets another next time, unless it was changed since. */
  move(schedule: Schedule, nextAt: Date): Promise<void>;
  /**
   * Stores the prompt as a message of its session, and the next time with it; null removes the schedule. When the inbox
   * is full, the schedule stays due.
   */
  fire(schedule: Schedule, nextAt: Date | null): Promise<FiredSchedule>;
}
