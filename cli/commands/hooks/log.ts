/** `hermes hooks log`: the last runs of hooks of every kind, and each new one with --follow. */
import type { Command } from "commander";
import { visible } from "#allowlist/visible";
import { HermesError, problemOf } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import { followRuns, readRuns } from "#core/home/run-log";
import type { LoggedRun } from "#core/runs";
import type { CliContext } from "#cli/context";
import { printRecords } from "#cli/follow";

export interface HooksLogOptions {
  readonly follow?: true;
  readonly json?: true;
  readonly limit: number;
}

/** The value of --limit. Throws HERMES_USAGE. */
export function parseLimit(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number.parseInt(text, 10);
  throw new HermesError("HERMES_USAGE", { problem: `--limit takes a whole number, not "${visible(text)}".` });
}

/**
 * Prints the runs, newest last; with `follow` until a signal or until the output is closed, which is not a failure.
 * Throws HERMES_LOG_UNREADABLE.
 */
export async function showLog(options: HooksLogOptions, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  demandVisible(paths, "hermes hooks log");
  const { hookLog } = paths;
  try {
    await (options.follow ? follow(hookLog, options, context) : print(hookLog, options, context));
  } catch (error) {
    throw new HermesError("HERMES_LOG_UNREADABLE", { file: hookLog, problem: problemOf(error) }, { cause: error });
  }
}

function print(hookLog: string, options: HooksLogOptions, context: CliContext): void {
  const runs = readRuns(hookLog, options.limit);
  if (options.json) return context.json({ runs });
  if (runs.length === 0) return context.out(`No hooks have run yet. Runs are recorded in ${hookLog}.`);
  context.out([HEAD, ...runs.map(describe)].join("\n"));
}

function follow(path: string, { limit, json }: HooksLogOptions, context: CliContext): Promise<void> {
  const records = (signal: AbortSignal) => followRuns(path, limit, signal);
  return printRecords({ records, describe, json }, context);
}

const HEAD = row(["TIME", "EVENT", "SOURCE", "OUTCOME", "TOOK", "EXIT"], "HOOK");

function describe(run: LoggedRun): string {
  const outcome = run.cause === null ? run.outcome : `${run.outcome} (${run.cause})`;
  const took = `${Math.round(run.duration_ms * 10) / 10} ms`;
  const cells = [run.time, run.event, run.source, outcome, took, run.exit_code === null ? "" : String(run.exit_code)];
  return row(cells.map(visible), visible(nameAndDetail(run)));
}

/** The name and why it blocked or failed; the sentence of a failure has the name in it. */
function nameAndDetail({ name, detail }: LoggedRun): string {
  if (detail === null) return name;
  return detail.includes(name) ? detail : `${name}: ${detail}`;
}

/** Columns of one width throughout, because with --follow the widest cell is not known yet. */
function row(cells: readonly string[], last: string): string {
  const widths = [24, 21, 7, 15, 10, 4];
  return [...cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)), last].join("  ").trimEnd();
}
