/** `hermes inbound log`: the last requests to inbound webhooks, and each new one with --follow. */
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { HermesError, problemOf } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import { parseInboundRecord, type InboundRecord } from "#core/home/inbound-log";
import { followRecords, readRecords } from "#core/home/run-log";
import { styled, type StyledLine } from "#core/styled-text";
import type { CliContext } from "#cli/context";
import { printRecords } from "#cli/follow";
import { terminalWidth } from "#cli/list";
import { logLines, type LogEntry } from "#cli/log-lines";

export interface InboundLogOptions {
  readonly follow?: true;
  readonly json?: true;
  readonly limit: number;
}

/**
 * Prints the requests, newest last; with `follow` until a signal or until the output is closed, which is not a failure.
 * Throws HERMES_LOG_UNREADABLE.
 */
export async function showInboundLog(options: InboundLogOptions, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  demandVisible(paths, "hermes inbound log");
  const file = paths.inboundLog;
  try {
    await (options.follow ? follow(file, options, context) : print(file, options, context));
  } catch (error) {
    throw new HermesError("HERMES_LOG_UNREADABLE", { file, problem: problemOf(error) }, { cause: error });
  }
}

function print(file: string, { limit, json }: InboundLogOptions, context: CliContext): void {
  const requests = readRecords(file, limit, parseInboundRecord);
  if (json) return context.json({ requests });
  if (requests.length === 0) return context.out(`No requests have come yet. They are recorded in ${file}.`);
  context.lines([...headLines(), ...requests.flatMap(describe)]);
}

function follow(file: string, { limit, json }: InboundLogOptions, context: CliContext): Promise<void> {
  const records = (signal: AbortSignal) => followRecords(file, limit, { parse: parseInboundRecord, signal });
  return printRecords({ records, describe, json }, context);
}

/** Only the columns of a pipe have a head. */
function headLines(): readonly StyledLine[] {
  const head = row(["TIME", "HOOK", "STATUS", "EXIT", "TOOK"], "REQUEST");
  return terminalWidth() === undefined ? [[styled(head)]] : [];
}

function describe(request: InboundRecord): readonly StyledLine[] {
  const width = terminalWidth();
  return width === undefined ? [[styled(describePlain(request))]] : logLines(entryOf(request), width);
}

function entryOf({ time, hook, status, method, path, run_id: run, detail, ...request }: InboundRecord): LogEntry {
  const { exit_code: code, duration_ms: took } = request;
  const parts = [
    hook,
    `${method} ${path}`,
    `${took} ms`,
    code ? `exit code ${code}` : "",
    run === null ? "" : `run ${run}`,
  ];
  return { time, outcome: String(status), parts: parts.map(visible), reason: detail === null ? "" : visible(detail) };
}

function describePlain(request: InboundRecord): string {
  const { time, hook, status, exit_code: code, duration_ms: took, method, path, run_id: run, detail } = request;
  const cells = [time, hook, String(status), code === null ? "" : String(code), `${took} ms`].map(visible);
  const rest = [`${method} ${path}`, run === null ? "" : `run ${run}`, detail ?? ""].filter((part) => part !== "");
  return row(cells, visible(rest.join("  ")));
}

/** Columns of one width throughout, because with --follow the widest cell is not known yet. */
function row(cells: readonly string[], last: string): string {
  const widths = [24, 20, 6, 4, 9];
  return [...cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)), last].join("  ").trimEnd();
}
