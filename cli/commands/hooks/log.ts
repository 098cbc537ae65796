/** `hermes hooks log`: the last runs of hooks of every kind, and each new one with --follow. */
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { HermesError, problemOf } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import { followRuns, readRuns } from "#core/home/run-log";
import type { LoggedRun } from "#core/runs";
import { styled, type StyledLine } from "#core/styled-text";
import type { CliContext } from "#cli/context";
import { shortHookName, withoutName } from "#cli/chat/hook-name";
import { printRecords } from "#cli/follow";
import { terminalWidth } from "#cli/list";
import { logLines, type LogEntry } from "#cli/log-lines";

export interface HooksLogOptions {
  readonly follow?: true;
  readonly json?: true;
  readonly limit: number;
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
  context.lines([...headLines(), ...runs.flatMap(describe)]);
}

function follow(path: string, { limit, json }: HooksLogOptions, context: CliContext): Promise<void> {
  const records = (signal: AbortSignal) => followRuns(path, limit, signal);
  return printRecords({ records, describe, json }, context);
}

/** Only the columns of a pipe have a head. */
function headLines(): readonly StyledLine[] {
  const head = row(["TIME", "EVENT", "TOOL", "SOURCE", "OUTCOME", "TOOK", "EXIT"], "HOOK");
  return terminalWidth() === undefined ? [[styled(head)]] : [];
}

function describe(run: LoggedRun): readonly StyledLine[] {
  const width = terminalWidth();
  return width === undefined ? [[styled(describePlain(run))]] : logLines(entryOf(run), width);
}

function entryOf({ time, event, outcome, cause, tool_name: tool, name, detail, ...run }: LoggedRun): LogEntry {
  const parts = [event, tool ?? "", shortHookName(name), took(run), run.exit_code ? `exit code ${run.exit_code}` : ""];
  return {
    time,
    outcome: visible(cause === null ? outcome : `${outcome} (${cause})`),
    parts: parts.map(visible),
    reason: detail === null ? "" : visible(withoutName(detail, name)),
  };
}

function took({ duration_ms: ms }: Pick<LoggedRun, "duration_ms">): string {
  return `${Math.round(ms * 10) / 10} ms`;
}

function describePlain(run: LoggedRun): string {
  const outcome = run.cause === null ? run.outcome : `${run.outcome} (${run.cause})`;
  const exit = run.exit_code === null ? "" : String(run.exit_code);
  const cells = [run.time, run.event, run.tool_name ?? "", run.source, outcome, took(run), exit];
  return row(cells.map(visible), visible(nameAndDetail(run)));
}

/** The name and why it blocked or failed; the sentence of a failure has the name in it. */
function nameAndDetail({ name, detail }: LoggedRun): string {
  if (detail === null) return name;
  return detail.includes(name) ? detail : `${name}: ${detail}`;
}

/** Columns of one width throughout, because with --follow the widest cell is not known yet. */
function row(cells: readonly string[], last: string): string {
  const widths = [24, 21, 12, 7, 15, 10, 4];
  return [...cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)), last].join("  ").trimEnd();
}
