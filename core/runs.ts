/** One record per hook run, and the sinks that take it (DESIGN, "One record per run"). */
import type { HookIdentity, HookRun, RunSink } from "./ports/hook.ts";

/** A run as `logs/hooks.jsonl` and `hermes hooks log --json` show it (CONTRACT §6). */
export interface LoggedRun extends Omit<HookRun, "at" | "event" | "source" | "outcome" | "detail"> {
  /** When it began: ISO-8601, UTC. */
  readonly time: string;
  /** Texts, because a file may hold what another version of the program wrote. */
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

  record(run: HookRun, hook: HookIdentity): void {
    for (const sink of this.#sinks) sink(run, hook);
  }
}

export interface FileSinkOptions {
  readonly append: (line: string) => void;
  /** Takes secrets out of a text: a command line may hold one. */
  readonly redact: (text: string) => string;
}

/** Names and commands are few and come again with every run; more than these are not remembered. */
const MOST_REMEMBERED = 500;

/** A sink that appends each record to a file of JSON lines; the only writer of `logs/hooks.jsonl`. */
export function fileSink({ append, redact }: FileSinkOptions): RunSink {
  const clean = new Map<string, string>();
  /** Before the text becomes JSON, whose escapes would hide a secret that holds a quote or a line break. */
  function redacted(text: string): string {
    let found = clean.get(text);
    if (found === undefined) {
      found = redact(text);
      if (clean.size >= MOST_REMEMBERED) clean.clear();
      clean.set(text, found);
    }
    return found;
  }
  return (run) => {
    const { name, command, session_id } = run;
    const texts = {
      name: redacted(name),
      command: command === null ? null : redacted(command),
      session_id: redacted(session_id),
    };
    append(JSON.stringify(runToJson({ ...run, ...texts })));
  };
}
