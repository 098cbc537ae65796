/**
 * Where an observer of another program may replace what it observes (Claude Code's PostToolUse and the tool's result):
 * a second hook, at the event that replaces, gives what the script of the first one answered. It runs nothing.
 */
import type { EventName } from "#core/events";
import type { Firing, Hook } from "#core/ports/hook";
import type { ShellEntry } from "./entries.ts";
import { createShellHook, type ShellHook, type ShellHookDependencies } from "./hook.ts";
import { PROTOCOLS } from "./protocols.ts";

/** More are never waiting unless firings are lost. */
const MOST_WAITING = 100;

/** The hook of an entry and, where its protocol can replace what it observes, the hook that does. */
export function createEntryHooks(
  entry: ShellEntry,
  dependencies: ShellHookDependencies,
): readonly [ShellHook, ...Hook[]] {
  const event = PROTOCOLS[entry.protocol].replacesAt(entry.event);
  if (event === undefined) return [createShellHook(entry, dependencies)];
  const waiting = new Map<string, string>();
  const onReplacement = (firing: Firing, text: string) => {
    if (waiting.size >= MOST_WAITING) waiting.delete(waiting.keys().next().value ?? "");
    waiting.set(keyOf(firing), text);
  };
  const hook = createShellHook(entry, { ...dependencies, onReplacement });
  return [hook, createReplacingHook(hook, event, waiting)];
}

function createReplacingHook(hook: Hook, event: EventName, waiting: Map<string, string>): Hook {
  return {
    ...hook,
    event,
    onFailure: "skip",
    sideBySide: false,
    background: false,
    derived: true,
    matches: (firing) => waiting.has(keyOf(firing)),
    run(firing) {
      const key = keyOf(firing);
      const text = waiting.get(key);
      waiting.delete(key);
      return { dialect: "shell", answer: { text } };
    },
  };
}

function keyOf({ payload, session_id }: Firing): string {
  return `${session_id} ${String((payload as { tool_call_id?: unknown }).tool_call_id)}`;
}
