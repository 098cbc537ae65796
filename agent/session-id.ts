import { randomBytes } from "node:crypto";

let last = 0;

/** A new session id: `sess_`, a sortable timestamp, and random characters. Unique across processes. */
export function createSessionId(): string {
  last = Math.max(Date.now(), last + 1);
  return `sess_${last.toString(36).padStart(9, "0")}${randomBytes(5).toString("hex")}`;
}
