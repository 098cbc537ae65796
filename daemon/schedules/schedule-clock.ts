/** Turns the schedules of a session into messages when they are due. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ScheduleStore, StoredSchedule } from "#core/ports/schedules";
import { createRareLog } from "#core/rare-log";
import { parseWhen } from "./when.ts";

export interface ScheduleClockOptions {
  readonly name: string;
  readonly store: ScheduleStore;
  /** Called when a message was stored. */
  readonly onMessage: () => void;
  readonly log: Log;
  /** The storage's time, in milliseconds. */
  readonly now: () => Promise<number>;
}

/** Timers don't notice a clock that is set, or a machine that sleeps: while there is a schedule, look this often. */
const LONGEST_SLEEP_MS = 60_000;
const RETRY_MS = 2000;
/** A schedule that was set later than now, by more than this, was set before the clock was set back. */
const CLOCK_TOLERANCE_MS = 5000;

export class ScheduleClock {
  readonly #options: ScheduleClockOptions;
  readonly #rare: (sentence: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ScheduleClockOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  /** Looks what is due now, and when to look next. One look runs after another. */
  look(): Promise<void> {
    this.#last = this.#last.then(() => this.#look());
    return this.#last;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#last;
  }

  async #look(): Promise<void> {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    const { store, name, now } = this.#options;
    try {
      for (const schedule of await store.list(name)) await this.#settle(schedule, new Date(await now()));
      const next = (await store.list(name))[0];
      if (next !== undefined) this.#sleep(Date.parse(next.next_at) - (await now()));
    } catch (error) {
      this.#rare(`the schedules cannot be read: ${problemOf(error)}`);
      this.#sleep(RETRY_MS);
    }
  }

  async #settle(schedule: StoredSchedule, now: Date): Promise<void> {
    const { store, onMessage, log } = this.#options;
    const time = parseWhen(schedule.when);
    if (Date.parse(schedule.set_at) > now.getTime() + CLOCK_TOLERANCE_MS) {
      const left = Date.parse(schedule.next_at) - Date.parse(schedule.set_at);
      const nextAt = time.isRelative ? new Date(now.getTime() + left) : time.isOnce ? null : time.next(now);
      // A date stays what it was.
      if (nextAt !== null) return store.move(schedule, nextAt);
    }
    if (Date.parse(schedule.next_at) > now.getTime()) return;
    const fired = await store.fire(schedule, time.isOnce ? null : time.next(now));
    if (fired.kind === "stored") onMessage();
    if (fired.kind === "full") log.warn("a schedule waits, because the inbox is full", { schedule: schedule.id });
  }

  #sleep(ms: number): void {
    if (this.#isStopped) return;
    // What is still due waits for room in the inbox.
    const wait = ms <= 0 ? RETRY_MS : Math.min(ms, LONGEST_SLEEP_MS);
    this.#timer = setTimeout(() => void this.look(), wait);
  }
}
