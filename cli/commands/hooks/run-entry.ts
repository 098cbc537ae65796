/** Runs one configured entry on the production path, for `hermes hooks test` and `doctor`. */
import { answerOf } from "#core/answers";
import { attempt } from "#core/attempt";
import { isHermesError } from "#core/errors";
import type { Firing } from "#core/ports/hook";
import { verdictOf } from "#core/verdict";
import { findScriptAccessProblem } from "#allowlist/script-access";
import { scriptOf } from "#allowlist/words";
import type { ShellEntry } from "#sandbox/shell/entries";
import { deliveredAnswer } from "#sandbox/shell/deliveries";
import { PROTOCOLS } from "#sandbox/shell/protocols";
import { createShellHook, type ShellHookDependencies } from "#sandbox/shell/hook";

export interface TestResult {
  readonly command: string | null;
  readonly protocol: ShellEntry["protocol"];
  readonly coprocess: boolean;
  /** Null for a coprocess. */
  readonly exit_code: number | null;
  readonly duration_ms: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timed_out: boolean;
  /** What went wrong, as a sentence, else null. */
  readonly error: string | null;
  /** What the answer means, in the words of a plugin; null for no contribution. */
  readonly answer: unknown;
}

export interface EntryTest extends Pick<ShellHookDependencies, "decide" | "shellContext" | "warn"> {
  readonly entry: ShellEntry;
  readonly firing: Firing;
  readonly signal: AbortSignal;
}

/**
 * Runs the entry's script, so that the block of another hook does not keep it from running; undefined without a match.
 * A coprocess is started for this run and ended after it.
 */
export async function testEntry(test: EntryTest): Promise<TestResult | undefined> {
  const { entry, firing, signal, decide, shellContext, warn } = test;
  let output = { stdout: "", stderr: "" };
  let delivered: ReturnType<typeof deliveredAnswer>;
  const deliversAt = PROTOCOLS[entry.protocol].deliversAt(entry.event, entry.protocolEvent);
  const hook = createShellHook(entry, {
    decide,
    shellContext,
    findAccessProblem: (argv) => findScriptAccessProblem(argv, shellContext),
    findScript: (argv) => scriptOf(argv, shellContext),
    warn,
    onDelivery: (fired, delivery) => {
      if (deliversAt !== undefined) delivered = deliveredAnswer(deliversAt, fired, delivery);
    },
    onResult: (_entry, { stdout, stderr }) => {
      output = { stdout, stderr };
    },
  });
  if (!hook.matches(firing)) return undefined;
  const attempted = await attempt(hook, firing, signal, performance.now());
  await hook.close();
  const { decision, outcome, cause, detail } = verdictOf(hook, firing, attempted);
  const failure = attempted.failure ?? attempted.reply?.failure;
  const failed = failure !== undefined || cause !== null || outcome === "error" || outcome === "timeout";
  return {
    command: entry.command,
    protocol: entry.protocol,
    coprocess: entry.coprocess,
    exit_code: attempted.reply?.exit_code ?? null,
    duration_ms: Math.round((attempted.ended - attempted.started) * 1000) / 1000,
    ...output,
    timed_out: isHermesError(failure) && failure.code === "HERMES_HOOK_TIMEOUT",
    error: failed ? (detail ?? "It failed.") : null,
    answer: answerOf(decision) ?? delivered ?? null,
  };
}
