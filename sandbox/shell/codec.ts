/** What hermes and a running script exchange; a separate file, so that `hermes hooks list` need not load it. */
import type { Firing, HookReply } from "#core/ports/hook";
import type { ProcessResult } from "#sandbox/process/run";
import type { ShellEntry } from "./entries.ts";
import type { ShellContext } from "./protocol.ts";

/** The part of a protocol that is needed when a script runs. */
export interface ProtocolCodec {
  /** False where the protocol's own event does not happen although ours does. */
  concerns(firing: Firing, entry: Pick<ShellEntry, "protocolEvent">): boolean;
  argv(entry: ShellEntry): readonly [string, ...string[]] | null;
  /** Variables that the script gets in addition to the parent's filtered environment. */
  environment(run: Pick<FinishedRun, "entry" | "firing" | "shellContext">): Readonly<Record<string, string>>;
  /** True when scripts get paths of {@link ShellContext.sessionFiles}, which sandboxed ones cannot reach. */
  readonly namesFiles: boolean;
  /** The document for standard input as text, created once per firing and event of the protocol. */
  document(firing: Firing, shellContext: ShellContext, entry: Pick<ShellEntry, "protocolEvent">): string;
  /** Interprets a finished run. Never throws. */
  read(run: FinishedRun): ParsedRun;
}

export interface FinishedRun {
  readonly entry: ShellEntry;
  readonly firing: Firing;
  readonly result: ProcessResult;
  readonly shellContext: ShellContext;
}

export interface ParsedRun {
  /** The reply in the plain protocol's terms, for `core/answers.ts` to validate. */
  readonly reply: HookReply;
  /** What replaces the thing that the event is about, at the event that its protocol names. */
  readonly replacement?: string | undefined;
  /** What is added to it there. */
  readonly addition?: string | undefined;
  /** What the script asked for that this event does not support, as a clause for a warning. */
  readonly unsupported?: string | undefined;
}
