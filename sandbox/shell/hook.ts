/** A configured shell hook as the dispatcher sees it. */
import type { Consent, HookRequest } from "#allowlist/grant";
import { HermesError } from "#core/errors";
import { declarationOf } from "#core/events";
import type { Firing, Hook, HookReply } from "#core/ports/hook";
import type { ShellEntry } from "./entries.ts";
import { WIRES } from "./codecs.ts";
import { EntryCoprocess, type CoprocessRun, type FindScript } from "./coprocess.ts";
import { scriptFailure } from "./outcome.ts";
import { requestOf } from "./request.ts";
import { runScript } from "./run.ts";
import type { ShellContext } from "./protocol.ts";
import type { ProcessResult } from "#sandbox/process/run";

export interface ShellHookDependencies {
  /** Called at every firing: may this command run now, through this shell and with these variables? */
  readonly decide: (request: HookRequest) => Consent;
  readonly shellContext: ShellContext;
  /** Why others could change the script of these words, as a clause, else null; asked at each run of a guard. */
  readonly findAccessProblem?: ((argv: readonly string[]) => string | null) | undefined;
  /** Finds the script among the words of a command; a coprocess is restarted when that file changes. */
  readonly findScript?: FindScript | undefined;
  /** Takes a warning about an unsupported request of a script; called once per hook and warning. */
  readonly warn?: ((sentence: string) => void) | undefined;
  /** Takes what a script gives in place of the thing that it observed, or in addition to it. */
  readonly onDelivery?: ((firing: Firing, delivery: DeferredAnswer) => void) | undefined;
  /** Takes the raw result of each run, before it is interpreted; `hermes hooks test` shows it. */
  readonly onResult?: ((entry: ShellEntry, result: ProcessResult) => void) | undefined;
}

/** What an observer's answer brings to a later event. */
export interface DeferredAnswer {
  readonly replacement?: string | undefined;
  readonly addition?: string | undefined;
}

/** A hook that may have a process that stays. */
export interface ShellHook extends Hook {
  /** Ends a coprocess once it has answered what waits; the next event starts another. */
  restart(): void;
  /** Ends a coprocess now. Never rejects. */
  close(): Promise<void>;
}

/**
 * Creates the hook of an entry. Until it is approved it matches nothing. A gate with `fail_closed` that is not
 * approved, or is broken, matches all the same; its run fails, which blocks.
 */
export function createShellHook(entry: ShellEntry, dependencies: ShellHookDependencies): ShellHook {
  const { kind, tool } = declarationOf(entry.event);
  const observes = kind === "observe";
  const warned = new Set<string>();
  const coprocess = entry.coprocess ? new EntryCoprocess(entry, dependencies.findScript) : undefined;

  function consent(): Consent {
    const decision = dependencies.decide(requestOf(entry));
    if (!decision.granted) coprocess?.restart();
    return decision;
  }

  function matches(firing: Firing): boolean {
    if (!entry.enabled || !WIRES[entry.protocol].concerns(firing, entry)) return false;
    if (tool) {
      const { tool_name: name, args } = firing.payload as { tool_name?: unknown; args?: unknown };
      if (!entry.toolMatcher.matches(String(name), args ?? {}, dependencies.shellContext)) return false;
    }
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
    const exposed = entry.failClosed && entry.argv !== null ? dependencies.findAccessProblem?.(entry.argv) : null;
    if (exposed) return failed(new HermesError("HERMES_HOOK_SCRIPT", { name, event, problem: exposed }));
    const { grant } = decision;
    const job = { entry, grant, firing, signal, shellContext: dependencies.shellContext };
    if (coprocess !== undefined) return readCoprocess(firing, await coprocess.run(job));
    const result = await runScript(job);
    dependencies.onResult?.(entry, result);
    return read(firing, result);
  }

  function read(firing: Firing, result: ProcessResult): HookReply {
    const reading = WIRES[entry.protocol].read({ entry, firing, result, shellContext: dependencies.shellContext });
    if (reading.unsupported !== undefined) warnOnce(reading.unsupported);
    const { replacement, addition } = reading;
    if (replacement !== undefined || addition !== undefined)
      dependencies.onDelivery?.(firing, { replacement, addition });
    return reading.reply;
  }

  /** An answer is read as that of a script that succeeded: exit codes do not count. */
  function readCoprocess(firing: Firing, { result, problem, note }: CoprocessRun): HookReply {
    dependencies.onResult?.(entry, result);
    const reply =
      problem === null
        ? read(firing, { ...result, exit_code: 0 })
        : failed(scriptFailure(entry, firing.event, problem));
    const notes = [reply.note, note].filter((text) => text !== undefined);
    return { ...reply, exit_code: null, ...(notes.length === 0 ? {} : { note: notes.join("\n") }) };
  }

  function warnOnce(clause: string): void {
    if (warned.has(clause)) return;
    warned.add(clause);
    const where = `hooks.${entry.event}[${entry.index}]`;
    dependencies.warn?.(`${where}: ${JSON.stringify(entry.name)} asks for something unsupported: ${clause}.`);
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
    restart: () => coprocess?.restart(),
    close: async () => coprocess?.close(),
  };
}

function failed(failure: HermesError): HookReply {
  return { dialect: "shell", failure };
}
