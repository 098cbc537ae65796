/** How a request's script is run, and what its end means to the caller. */
import type { ProcessResult } from "#sandbox/process/run";
import { ANSWERS, type Answer } from "./answers.ts";
import type { InboundHook } from "./hooks.ts";

export interface ScriptRun {
  readonly hook: InboundHook;
  /** The script's `HOOK_` variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** For its standard input. */
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** The end of a script, with the bytes of its standard output; or why it may not run. */
export type ScriptEnd =
  | { readonly kind: "ran"; readonly result: ProcessResult; readonly output: Buffer }
  | { readonly kind: "unapproved"; readonly reason: string };

/** Runs the script of a hook, if it is approved. Made by `cli`, which has the approvals. Never rejects. */
export type RunScript = (run: ScriptRun) => Promise<ScriptEnd>;

/** What a script came to. */
export type Outcome =
  | { readonly kind: "output"; readonly output: Buffer; readonly text: string }
  | { readonly kind: "blank" }
  /** It was ended because the program stops. */
  | { readonly kind: "cut" }
  | { readonly kind: "failed"; readonly answer: Answer; readonly problem: string };

export function outcomeOf(end: ScriptEnd, { timeoutSeconds }: Pick<InboundHook, "timeoutSeconds">): Outcome {
  const failed = (problem: string, answer: Answer = ANSWERS.failed): Outcome => ({ kind: "failed", answer, problem });
  if (end.kind === "unapproved") return failed(end.reason, ANSWERS.unapproved);
  const { result, output } = end;
  switch (result.ended) {
    case "not_started":
      return failed(`the script was not started: ${result.start_problem}`);
    case "timeout":
      return failed(`the script did not end within ${timeoutSeconds} s and was killed`, ANSWERS.timeout);
    case "overflow":
      return failed("the script printed more than 1 MiB and was killed");
    case "interrupted":
      return { kind: "cut" };
    default:
  }
  if (result.signal !== null) return failed(`the script was killed by ${result.signal}`);
  if (result.exit_code !== 0) return failed(`the script ended with exit code ${result.exit_code}`);
  const text = result.stdout.replace(/^\uFEFF/, "").trimEnd();
  return text.trim() === "" ? { kind: "blank" } : { kind: "output", output, text };
}

/** The end of what a script wrote to standard error, for the log; null when it wrote nothing. */
export function errorTail(end: ScriptEnd): string | null {
  const text = end.kind === "ran" ? end.result.stderr.trim() : "";
  return text === "" ? null : text.slice(-MOST_ERROR_CHARACTERS);
}

const MOST_ERROR_CHARACTERS = 2000;
