import { HermesError } from "#core/errors";
import { duration } from "./duration.ts";

/** Year, month and day, and maybe a time with or without a zone; without a zone it is local. */
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;
const DATE = "2026-11-29".length;

/**
 * A parser for an option's value that is a moment: how long ago (`2h`) or an ISO-8601 time, in milliseconds since 1970.
 * Throws HERMES_USAGE.
 */
export function moment(option: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}[smhd]$/.test(text)) return Date.now() - duration(option)(text);
    const time = ISO.test(text) ? Date.parse(text.length > DATE ? text : `${text}T00:00`) : Number.NaN;
    if (!Number.isNaN(time)) return time;
    const problem = `${option} takes a duration such as 30m, 2h or 7d, or a time such as 2026-11-29T08:00, not "${text}".`;
    throw new HermesError("HERMES_USAGE", { problem });
  };
}
