import type { EventName } from "#core/events";
import type { Firing, Hook, HookReply } from "#core/ports/hook";

type Run = (firing: Firing, signal: AbortSignal) => HookReply | Promise<HookReply>;

/** A hook for tests: a plugin's unless said otherwise. */
export function makeHook(event: EventName, run: Run, options: Partial<Hook> = {}): Hook {
  return {
    source: "plugin",
    name: "test",
    event,
    command: null,
    onFailure: "skip",
    deadlineSeconds: 30,
    sideBySide: false,
    background: false,
    matches: () => true,
    run,
    ...options,
  };
}

/** A hook that gives this answer. */
export function answering(event: EventName, answer: unknown, options: Partial<Hook> = {}): Hook {
  return makeHook(event, () => ({ answer }), options);
}
