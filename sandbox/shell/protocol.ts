/** What a script and hermes say to each other: a protocol is all that differs between the kinds of scripts. */
import type { EventName } from "#core/events";
import type { Firing, HookReply } from "#core/ports/hook";
import type { ProcessResult } from "#sandbox/process/run";
import type { Words } from "./command.ts";
import type { ShellEntry } from "./entries.ts";
import type { Matcher } from "./matcher.ts";
import type { ShellContext } from "./run.ts";

/** What is asked of a protocol when entries are read. */
export interface Protocol {
  /** True when the command line is given to `sh -c`: consent says so, for `;`, `|` and `$(…)` then count. */
  readonly throughShell: boolean;
  /** Why there is no such event in this protocol, as a clause; null when there is. */
  refuseEvent(event: EventName): string | null;
  /** The command's words, in which consent finds the script; what is started is {@link ProtocolCodec.argv}. */
  parse(command: string, home: string): Words;
  /** A matcher by the protocol's rule; it is asked with our tool names. */
  createMatcher(pattern: string | null): Matcher;
}

/** What is asked of a protocol when a script runs; apart, so that `hermes hooks list` need not load it. */
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
