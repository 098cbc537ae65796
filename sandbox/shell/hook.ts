/** A configured shell hook as the dispatcher sees it. */
import type { Consent } from "#allowlist/grant";
import { HermesError } from "#core/errors";
import { declarationOf } from "#core/events";
import type { Firing, Hook, HookReply } from "#core/ports";
import type { ShellEntry } from "./entries.ts";
import { replyOf } from "./outcome.ts";
import { runScript, type ShellSurroundings } from "./run.ts";
import type { ProcessResult } from "#sandbox/process/run";

export interface ShellHookDependencies {
  /** Asked at every firing: may this pair run now? */
  readonly decide: (pair: { readonly event: string; readonly command: string }) => Consent;
  readonly surroundings: ShellSurroundings;
  /** Takes what each run of a script gave, before it is judged; `hermes hooks test` shows it. */
  readonly onResult?: ((entry: ShellEntry, result: ProcessResult) => void) | undefined;
}

/**
 * Makes the hook of an entry. Without consent it is dormant: it matches nothing until an approval appears. A gate
 * marked `fail_closed` that has no consent, or is broken, matches all the same and its run fails, which blocks.
 */
export function createShellHook(entry: ShellEntry, dependencies: ShellHookDependencies): Hook {
  const { kind, tool } = declarationOf(entry.event);
  const observes = kind === "observe";

  function consent(): Consent {
    return dependencies.decide({ event: entry.event, command: entry.command ?? "" });
  }

  function matches(firing: Firing): boolean {
    if (!entry.enabled) return false;
    if (tool && !entry.toolMatcher.matches(String((firing.payload as { tool_name?: unknown }).tool_name))) return false;
    return entry.failClosed || entry.problem !== null || consent().granted;
  }

  async function run(firing: Firing, signal: AbortSignal): Promise<HookReply> {
    const { name, event } = entry;
    if (entry.problem !== null) {
      return failed(new HermesError("HERMES_HOOK_SCRIPT", { name, event, problem: entry.problem }));
    }
    const decision = consent();
    if (!decision.granted) {
      return failed(new HermesError("HERMES_HOOK_UNAPPROVED", { name, event, reason: decision.reason }));
    }
    const { grant } = decision;
    const result = await runScript({ entry, grant, firing, signal, surroundings: dependencies.surroundings });
    dependencies.onResult?.(entry, result);
    return replyOf(entry, firing.event, result);
  }

  return {
    source: "shell",
    name: entry.name,
    event: entry.event,
    command: entry.command,
    matcher: entry.matcher,
    onFailure: entry.failClosed ? "block" : "skip",
    deadlineSeconds: null,
    sideBySide: observes,
    background: entry.background,
    matches,
    run,
  };
}

function failed(failure: HermesError): HookReply {
  return { dialect: "shell", failure };
}
