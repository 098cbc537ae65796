/** The entries of a log on a terminal: a short line each, with the reason below it. */
import { styled, type StyledLine } from "#core/styled-text";
import { styleOfState } from "./state-style.ts";
import { wrapWords } from "./text-width.ts";

export interface LogEntry {
  /** ISO-8601. */
  readonly time: string;
  /** How it ended, in one or two words; it has the colour of what it says. */
  readonly outcome: string;
  /** What happened, for a terminal: the parts that are not empty. */
  readonly parts: readonly string[];
  /** Why, or what it said; empty when there is nothing to add. */
  readonly reason: string;
}

/** `12:03:44`, and of older entries the day. */
const TIME_WIDTH = 8;
const DAY_MS = 24 * 60 * 60 * 1000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const OUTCOME_WIDTH = 8;
const NARROWEST = 20;

/** The lines of an entry on a terminal of this width. */
export function logLines(
  { time, outcome, parts, reason }: LogEntry,
  width: number,
  now = new Date(),
): readonly StyledLine[] {
  const lead = [styled(`${clock(time, now)}  `, "dim"), styled(outcome.padEnd(OUTCOME_WIDTH), styleOfState(outcome))];
  const indent = TIME_WIDTH + 2;
  const used = indent + Math.max(OUTCOME_WIDTH, outcome.length) + 2;
  const said = parts.filter((part) => part !== "").join("  ");
  const [first = "", ...rest] = wrapWords(said, Math.max(NARROWEST, width - used));
  const below = [...rest, ...(reason === "" ? [] : wrapWords(reason, Math.max(NARROWEST, width - indent)))];
  return [[...lead, styled(`  ${first}`)], ...below.map((text): StyledLine => [styled(" ".repeat(indent) + text)])];
}

function clock(time: string, now: Date): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time.slice(0, TIME_WIDTH).padEnd(TIME_WIDTH);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = [date.getHours(), date.getMinutes()];
  if (now.getTime() - date.getTime() < DAY_MS) return [...hours, date.getSeconds()].map(two).join(":");
  return `${MONTHS[date.getMonth()]} ${two(date.getDate())}`.padEnd(TIME_WIDTH);
}
