/** One record per hook run, and the sinks that take it (DESIGN, "One record per run"). */
import type { EventName } from "./events.ts";
import type { HookSource, RunSink } from "./ports.ts";

export type HookOutcome =
  | "pass"
  | "block"
  | "modify"
  | "context"
  | "transform"
  | "skip"
  | "rewrite"
  | "error"
  | "timeout";

export interface HookRun {
  /** When it began, in milliseconds since 1970; a wire form is made where one is needed. */
  readonly at: number;
  readonly event: EventName;
  readonly source: HookSource;
  readonly name: string;
  readonly command: string | null;
  readonly outcome: HookOutcome;
  /** Why a guard that failed blocked, else null. */
  readonly cause: "error" | "timeout" | null;
  readonly duration_ms: number;
  readonly exit_code: number | null;
  readonly session_id: string;
  /** The block's message or the failure's sentence, for notices and the log; not part of the wire form. */
  readonly detail: string | null;
}

/** The record as `logs/hooks.jsonl` and `hermes hooks log --json` show it (CONTRACT §6). */
function runToJson(run: HookRun): Record<string, unknown> {
  return {
    time: new Date(run.at).toISOString(),
    event: run.event,
    source: run.source,
    name: run.name,
    command: run.command,
    outcome: run.outcome,
    cause: run.cause,
    duration_ms: run.duration_ms,
    exit_code: run.exit_code,
    session_id: run.session_id,
  };
}

/** A sink that hands every record to each of a changing set of sinks. */
export class RunSinks {
  #sinks: readonly RunSink[] = [];

  /** Adds a sink; the returned function takes it away again. */
  add(sink: RunSink): () => void {
    this.#sinks = [...this.#sinks, sink];
    return () => {
      this.#sinks = this.#sinks.filter((other) => other !== sink);
    };
  }

  record(run: HookRun): void {
    for (const sink of this.#sinks) sink(run);
  }
}

/** A sink that appends each record to a file of JSON lines; the only writer of `logs/hooks.jsonl`. */
export function fileSink(file: { append: (line: string) => void }): RunSink {
  return (run) => {
    file.append(JSON.stringify(runToJson(run)));
  };
}
