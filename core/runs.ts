/** One record per hook run, and the sinks that take it (DESIGN, "One record per run"). */
import { memoize } from "./bounded-map.ts";
import { wallClockAt } from "./clock.ts";
import { truncate } from "./truncate.ts";
import type { HookIdentity, HookRun, RunSink } from "./ports/hook.ts";

/** How a run went, in parts that its caller already has: dispatch makes one for every run. */
export interface RunReport {
  readonly firing: Pick<HookRun, "event" | "session_id" | "tool_name" | "tool_call_id">;
  /** Moments of `performance.now()`. */
  readonly attempt: { readonly started: number; readonly ended: number };
  readonly verdict: Pick<HookRun, "outcome" | "cause" | "detail" | "notice">;
  readonly exit_code: number | null;
}

/** Makes the record of a run that has just ended, for every tier. */
export function makeRun(hook: HookIdentity, report: RunReport): HookRun {
  const { notice } = report.verdict;
  const run: HookRun = {
    at: wallClockAt(report.attempt.started),
    event: report.firing.event,
    source: hook.source,
    name: hook.name,
    command: hook.command,
    outcome: report.verdict.outcome,
    cause: report.verdict.cause,
    // Rounded to the microsecond; more digits are noise.
    duration_ms: Math.round((report.attempt.ended - report.attempt.started) * 1000) / 1000,
    exit_code: report.exit_code,
    session_id: report.firing.session_id,
    tool_name: report.firing.tool_name,
    tool_call_id: report.firing.tool_call_id,
    detail: report.verdict.detail,
  };
  // Few have one, and copying all the others for its sake would cost as much as the rest.
  return notice === undefined ? run : { ...run, notice };
}

/** In characters, with the mark of what was cut. */
const LONGEST_DETAIL = 400;

/** A run's detail as it leaves this process: short and without secrets. */
export function shownDetail({ detail }: HookRun, redact: (text: string) => string): string | null {
  return detail === null ? null : truncate(redact(detail), LONGEST_DETAIL - 1);
}

/** A run in the format of `logs/hooks.jsonl` and `hermes hooks log --json` (CONTRACT §6). */
export interface LoggedRun extends Omit<HookRun, "at" | "event" | "source" | "outcome" | "notice"> {
  /** When it started: ISO-8601, UTC. */
  readonly time: string;
  /** Strings, because another version of the program may have written the file. */
  readonly event: string;
  readonly source: string;
  readonly outcome: string;
}

function runToJson(run: HookRun): LoggedRun {
  return {
    time: new Date(run.at).toISOString(),
    event: run.event,
    source: run.source,
    name: run.name,
    command: run.command,
    outcome: run.outcome,
    cause: run.cause,
    detail: run.detail,
    duration_ms: run.duration_ms,
    exit_code: run.exit_code,
    session_id: run.session_id,
    tool_name: run.tool_name,
    tool_call_id: run.tool_call_id,
  };
}

/** A sink that passes every record to a changing set of sinks. */
export class RunSinks {
  #sinks: readonly RunSink[] = [];

  /** Adds a sink; the returned function removes it. */
  add(sink: RunSink): () => void {
    this.#sinks = [...this.#sinks, sink];
    return () => {
      this.#sinks = this.#sinks.filter((other) => other !== sink);
    };
  }

  record(run: HookRun, hook: HookIdentity): void {
    for (const sink of this.#sinks) sink(run, hook);
  }
}

export interface FileSinkOptions {
  readonly append: (line: string) => void;
  /** Removes secrets from text, since a command line may contain one. */
  readonly redact: (text: string) => string;
}

/** Names and commands are few and repeat with every run, so this many are cached. */
const MOST_REMEMBERED = 500;

/** A sink that appends each record to a file of JSON lines; the only writer of `logs/hooks.jsonl`. */
export function fileSink({ append, redact }: FileSinkOptions): RunSink {
  // Applied before the text becomes JSON, whose escapes would hide a secret with a quote or a newline.
  const redacted = memoize(redact, MOST_REMEMBERED);
  return (run) => {
    const { name, command, session_id, tool_name, tool_call_id } = run;
    const texts = {
      name: redacted(name),
      command: command === null ? null : redacted(command),
      session_id: redacted(session_id),
      tool_name: tool_name === null ? null : redacted(tool_name),
      tool_call_id: tool_call_id === null ? null : redact(tool_call_id),
      detail: shownDetail(run, redact),
    };
    append(JSON.stringify(runToJson({ ...run, ...texts })));
  };
}
