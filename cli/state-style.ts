/** The colour of the words that say how something is. */
import type { Style } from "#core/styled-text";

const STYLES: Readonly<Record<string, Style>> = {
  allowed: "green",
  approved: "green",
  enabled: "green",
  running: "green",
  succeeded: "green",
  delivered: "green",
  done: "green",
  paired: "green",
  pass: "green",
  "not allowed": "yellow",
  "not approved": "yellow",
  approval: "yellow",
  pending: "yellow",
  queued: "yellow",
  untrusted: "yellow",
  "script modified": "yellow",
  "script missing": "red",
  draining: "yellow",
  off: "dim",
  disabled: "dim",
  "not enabled": "dim",
  cancelled: "dim",
  never: "dim",
  broken: "red",
  skipped: "red",
  failed: "red",
  error: "red",
  timeout: "red",
  lost: "red",
  block: "red",
};

/** The style of a state; of several words that of the worst, and none for a state that is neither good nor bad; also of an HTTP status. */
export function styleOfState(state: string): Style | undefined {
  const found = new Set(state.split(/, | \(|: /).map((part) => STYLES[part] ?? STYLES[part.split(" ", 1)[0]!]));
  if (/^\d{3}$/.test(state)) return ({ 2: "green", 5: "red" }[state[0]!] as Style | undefined) ?? "yellow";
  return (["red", "yellow", "dim", "green"] as const).find((style) => found.has(style));
}
