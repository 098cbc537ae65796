import { HermesError } from "#core/errors";
import type { Schedule, ScheduleStore } from "#core/ports/schedules";
import { parseWhen } from "./when.ts";

/** Schedules of a session: more are a mistake, of a model that repeats itself for example. */
const MOST_SCHEDULES = 200;

export interface ScheduleEntry {
  readonly name: string;
  readonly when: string;
  readonly prompt: string;
}

/** Stores a schedule, for the command and the tool; `now` is the storage's time. Throws HERMES_SCHEDULE_TIME and HERMES_SCHEDULES_FULL. */
export async function addSchedule(
  store: ScheduleStore,
  { name, when, prompt }: ScheduleEntry,
  now: Date,
): Promise<Schedule> {
  const nextAt = parseWhen(when).next(now);
  if (nextAt === null) {
    throw new HermesError("HERMES_SCHEDULE_TIME", {
      when,
      problem: "never comes: it is in the past or does not exist",
    });
  }
  if ((await store.list(name)).length >= MOST_SCHEDULES) {
    throw new HermesError("HERMES_SCHEDULES_FULL", { name, most: MOST_SCHEDULES });
  }
  return store.add({ name, when: when.trim(), prompt, nextAt });
}
