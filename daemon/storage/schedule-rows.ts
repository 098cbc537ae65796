/** How the row of a schedule becomes one, in every engine. */
import type { StoredSchedule } from "#core/ports/schedules";
import { isoTime } from "./rules.ts";

export const SCHEDULE_COLUMNS = `id, name, time AS "when", prompt, next_at, set_at`;

/** A row of {@link SCHEDULE_COLUMNS}. */
export interface ScheduleRow extends Omit<StoredSchedule, "next_at" | "set_at"> {
  readonly next_at: number;
  readonly set_at: number;
}

export function storedSchedule(row: ScheduleRow): StoredSchedule {
  return { ...row, next_at: isoTime(row.next_at), set_at: isoTime(row.set_at) };
}
