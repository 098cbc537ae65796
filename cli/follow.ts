/** Prints records as they come, for the commands with `--follow`. */
import { escapeLineEnds } from "#core/line-endings";
import { onStdoutClosed } from "#core/stdout";
import type { StyledLine } from "#core/styled-text";
import type { CliContext } from "./context.ts";
import { onStopSignal } from "./shutdown.ts";

export interface FollowOptions<Item> {
  /** Ends when its signal aborts. */
  readonly records: (signal: AbortSignal) => AsyncIterable<Item>;
  /** The lines of a record for people. */
  readonly describe: (record: Item) => readonly StyledLine[];
  readonly json: boolean | undefined;
}

/** Prints until a signal, whose exit code is set, or until the output is closed, which is not a failure. */
export async function printRecords<Item>(
  { records, describe, json }: FollowOptions<Item>,
  context: CliContext,
): Promise<void> {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  const unwatch = onStdoutClosed(stop);
  const unlisten = onStopSignal((code) => {
    context.exit(code);
    stop();
  });
  try {
    for await (const record of records(stopped.signal))
      if (json) context.out(escapeLineEnds(JSON.stringify(record)));
      else context.lines(describe(record));
  } finally {
    unwatch();
    unlisten();
  }
}
