/** The keys of an entry, and what becomes of those that are not ours. */
import { declarationOf, type EventName } from "#core/events";
import { nearest } from "#core/suggest";
import { describeValue, type Warn } from "./entry-values.ts";

const KEYS: readonly string[] = [
  "command",
  "args",
  "matcher",
  "timeout",
  "fail_closed",
  "failClosed",
  "async",
  "coprocess",
  "protocol",
  "protocol_event",
  "env",
  "name",
  "enabled",
  "pin_ignore",
  "sandbox",
];

/** Keys of other programs that change what runs or when. A guard that ran without them would guard something else. */
const DECISIVE: ReadonlySet<string> = new Set([
  "type",
  "if",
  "when",
  "unless",
  "once",
  "disabled",
  "hooks",
  "url",
  "prompt",
  "agent",
  "server",
  "tool",
  "shell",
  "cwd",
  "workdir",
  "user",
]);

/**
 * Warns about every key that is not ours. Gives a clause that says why the entry cannot run, or null: a gate with a key
 * that changes what runs or when is not run without it (CONTRACT §6).
 */
export function checkKeys(event: EventName, raw: Readonly<Record<string, unknown>>, warn: Warn): string | null {
  let problem: string | null = null;
  for (const key of Object.keys(raw)) {
    // The only type there is, and the one that people copy from Claude Code's settings.
    if (KEYS.includes(key) || (key === "type" && raw[key] === "command")) continue;
    if (DECISIVE.has(key) && declarationOf(event).kind === "gate") {
      problem ??= `"${key}: ${describeValue(raw[key])}" is not supported, and without it the hook would not do what it is meant to${hintOf(key)}`;
      continue;
    }
    const missing = KEYS.filter((known) => !Object.hasOwn(raw, known));
    const meant = nearest(key, missing);
    warn(`unknown key, ignored.${meant === undefined ? hintOf(key) : ` Did you mean "${meant}"?`}`, key);
  }
  return problem;
}

function hintOf(key: string): string {
  return key === "disabled" ? " (use enabled: false)" : "";
}
