/** `hermes hooks list --live`: what running processes have registered, and the state of their hooks. */
import { visible } from "#allowlist/visible";
import { readLive, type LiveHook, type LiveProcess } from "#core/home/live";
import type { HomePaths } from "#core/home/paths";
import { listText, paragraph, type Column } from "#cli/list";

export function listProcesses({ run }: HomePaths): readonly LiveProcess[] {
  return readLive(run);
}

export function describeProcesses(processes: readonly LiveProcess[]): string {
  return processes.length === 0 ? "No hermes process is running hooks." : processes.map(describe).join("\n\n");
}

const COLUMNS: readonly Column[] = [
  { head: "  EVENT" },
  { head: "SOURCE" },
  { head: "HOOK", kind: "text" },
  { head: "MATCHER", kind: "text", isOptional: true },
  { head: "LAST FIRED", kind: "time" },
  { head: "ENDED" },
  { head: "DROPPED" },
];

function describe({ pid, command, started_at, hooks }: LiveProcess): string {
  const title = paragraph(`${visible(command)} (process ${pid}, started ${visible(started_at)})`);
  if (hooks.length === 0) return `${title}\n  no hooks`;
  const rows = hooks.map((hook) => [
    `  ${visible(hook.event)}`,
    visible(hook.source),
    visible(hook.command ?? hook.name),
    hook.matcher === null ? "" : visible(hook.matcher),
    hook.last_fired_at === null ? "never" : visible(hook.last_fired_at),
    endOf(hook),
    hook.dropped === undefined || hook.dropped === 0 ? "" : String(hook.dropped),
  ]);
  return `${title}\n${listText(COLUMNS, rows)}`;
}

function endOf({ last_outcome, last_cause, last_duration_ms }: LiveHook): string {
  if (last_outcome === null) return "";
  const cause = last_cause === null ? "" : ` (${visible(last_cause)})`;
  return `${visible(last_outcome)}${cause}, ${Math.round(last_duration_ms ?? 0)} ms`;
}
