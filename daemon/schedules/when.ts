/** Reads when a schedule is due: five-field cron in local time, `in 10m`, or an ISO time. */
import { Cron } from "croner";
import { HermesError } from "#core/errors";

export interface ScheduleTime {
  /** The first time after this moment; null when there is none. */
  readonly next: (after: Date) => Date | null;
  /** True for a time that comes once. */
  readonly isOnce: boolean;
  /** True for a time that was counted from the moment it was written. */
  readonly isRelative: boolean;
}

const EXAMPLES = 'write a time like "0 9 * * 1-5", "in 10m" or "2026-12-24T18:00"';
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const RELATIVE = /^in\s+(\d{1,9})\s*(s|m|h|d)$/i;
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?$/i;
const LONGEST_DELAY_MS = 10 * 366 * 86_400_000;

/** Reads a time. Throws HERMES_SCHEDULE_TIME. */
export function parseWhen(when: string): ScheduleTime {
  const text = when.trim();
  const relative = RELATIVE.exec(text);
  if (relative !== null) return inTime(when, Number(relative[1]) * UNITS[relative[2]!.toLowerCase()]!);
  if (ISO.test(text)) return atTime(when, text);
  if (text.split(/\s+/).length === 5) return cron(when, text);
  throw problem(when, `is not a time; ${EXAMPLES}`);
}

function inTime(when: string, ms: number): ScheduleTime {
  if (ms > LONGEST_DELAY_MS) throw problem(when, "is more than ten years away");
  return { next: (after) => new Date(after.getTime() + ms), isOnce: true, isRelative: true };
}

function atTime(when: string, text: string): ScheduleTime {
  // A day alone would be read as midnight in UTC.
  const at = new Date(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T").replaceAll(" ", ""));
  if (Number.isNaN(at.getTime()) || !isDayOf(text)) throw problem(when, `is not a time that exists; ${EXAMPLES}`);
  return { next: (after) => (at > after ? at : null), isOnce: true, isRelative: false };
}

/** JavaScript reads the 30th of February as the 2nd of March. */
function isDayOf(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function cron(when: string, text: string): ScheduleTime {
  // With the zone's name, croner knows which times a change of the clock leaves out or repeats.
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  let pattern: Cron;
  try {
    pattern = new Cron(text, { mode: "5-part", paused: true, timezone: timeZone });
  } catch (error) {
    const detail = (error as Error).message.replace(/^CronPattern: /, "").replace(/\.$/, "");
    throw problem(when, `is not a time (${detail}); ${EXAMPLES}`);
  }
  return { next: (after) => pattern.nextRun(after), isOnce: false, isRelative: false };
}

function problem(when: string, text: string): HermesError {
  return new HermesError("HERMES_SCHEDULE_TIME", { when, problem: text });
}
