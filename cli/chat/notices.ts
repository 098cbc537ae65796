/** One line on standard error for what a hook did to a turn: blocked, changed, failed, took too long. */
import { visible } from "#allowlist/visible";
import { isCommandEvent } from "#core/command-events";
import { declarationOf, isEventName } from "#core/events";
import type { HookRun } from "#core/ports/hook";
import { truncate } from "#core/truncate";

/** The notice of a run, or undefined if users need not know about it. */
export function noticeOf(run: HookRun): string | undefined {
  const who = `hook ${inLine(run.name)}`;
  switch (run.outcome) {
    case "block":
      return `${who} blocked ${isCommandEvent(run.event) ? messageOf(run) : run.event}${run.detail ? `: ${inLine(run.detail)}` : ""}`;
    case "ask":
      return `${who} asked for approval of a tool call${because(run)}`;
    case "modify":
      return `${who} changed the arguments of a tool call${because(run)}`;
    case "transform":
      return `${who} replaced ${subjectOf(run)}${because(run)}`;
    case "rewrite":
      return `${who} rewrote ${messageOf(run)}${because(run)}`;
    case "skip":
      return `${who} ${isCommandEvent(run.event) ? "handled" : "skipped"} ${messageOf(run)}${because(run)}`;
    case "error":
    case "timeout":
      return inLine(run.detail ?? `${who} failed at ${run.event}`);
    case "pass":
      return run.detail === null ? undefined : `${who}: ${inLine(run.detail)}`;
    case "context":
      if (run.detail === null) return undefined;
      return run.detail === run.notice ? `${who}: ${inLine(run.detail)}` : inLine(run.detail);
  }
}

function subjectOf({ event }: HookRun): string {
  return `the ${(isEventName(event) ? declarationOf(event).subject : undefined) ?? "text"}`;
}

function messageOf(run: HookRun): string {
  return isCommandEvent(run.event) ? run.event.replace("command:", "/") : "a message";
}

function because({ detail }: HookRun): string {
  return detail === null ? "" : ` (${inLine(detail)})`;
}

/** Text in one line of at most 500 characters, with control characters escaped. */
function inLine(text: string): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, " ⏎ ");
  return visible(truncate(line, 500));
}
