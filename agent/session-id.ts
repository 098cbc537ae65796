import { randomBytes } from "node:crypto";

let last = 0;

/**
 * A new session id: eight random characters, `_`, and a sortable time. Scripts name files by the first characters of an id, so
 * these are the ones that differ. Unique across processes.
 */
export function createSessionId(): string {
  last = Math.max(Date.now(), last + 1);
  return `${randomBytes(4).toString("hex")}_${last.toString(36).padStart(9, "0")}`;
}

/** Compares ids by the time when they were created. */
export function compareSessionIds(a: string, b: string): number {
  return compareTimes(timeOf(a), timeOf(b));
}

/** Compares times in a sortable form, such as ISO-8601 UTC. */
export function compareTimes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function timeOf(id: string): string {
  return id.slice(id.indexOf("_") + 1);
}
