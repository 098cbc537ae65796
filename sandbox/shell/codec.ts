/** What a script and hermes say to each other when it runs; apart, so that `hermes hooks list` need not load it. */
import type { Firing, HookReply } from "#core/ports/hook";
import type { ProcessResult } from "#sandbox/process/run";
import type { ShellEntry } from "./entries.ts";
import type { ShellContext } from "./protocol.ts";

/** What differs between the kinds of scripts when one runs. */
export interface ProtocolCodec {
  argv(entry: ShellEntry): readonly [string, ...string[]] | null;
  /** What the script's environment has beside the filtered one of the parent. */
  environment(surroundings: ShellContext): Readonly<Record<string, string>>;
  /** The document for standard input as text, made once per firing. */
  document(firing: Firing, surroundings: ShellContext): string;
  /** What a run means. Never throws. */
  read(run: FinishedRun): ParsedRun;
}

export interface FinishedRun {
  readonly entry: ShellEntry;
  readonly firing: Firing;
  readonly result: ProcessResult;
  readonly surroundings: ShellContext;
}

export interface ParsedRun {
  /** The reply in the plain protocol's words, for `core/answers.ts` to judge. */
  readonly reply: HookReply;
  /** The script wants a person to decide, for this reason (maybe empty); the reply holds after a yes. */
  readonly question?: string;
  /** What the script asked for and cannot have at this event, as a clause for a warning. */
  readonly unsupported?: string;
}
