/** What `hermes hooks doctor` found, for people. */
import { visible, visibleCommand } from "#allowlist/visible";
import { styled, type Style, type StyledLine } from "#core/styled-text";
import type { CliContext } from "#cli/context";
import { terminalWidth } from "#cli/list";
import { wrapWords } from "#cli/text-width";
import type { Findings, SampleRun } from "./examine-entry.ts";
import type { ListedHook } from "./listed-hook.ts";

export interface ExaminedHook
  extends
    Findings,
    SampleRun,
    Pick<ListedHook, "event" | "source" | "name" | "command" | "matcher" | "enabled" | "state" | "untrusted"> {
  /** True for each event of a gateway hook whose folder does not load. */
  readonly broken?: true;
}

export interface DoctorReport {
  readonly hooks: readonly ExaminedHook[];
  /** Problems that do not belong to one hook. */
  readonly general: readonly string[];
  /** The number of all problems. */
  readonly problems: number;
  readonly notes: readonly string[];
}

/** Prints the hooks with what is wrong with them, then what belongs to none of them. */
export function printReport(
  { hooks, general, problems, notes }: DoctorReport,
  context: Pick<CliContext, "lines">,
): void {
  const width = terminalWidth() ?? Number.POSITIVE_INFINITY;
  const lines = hooks.flatMap((hook) => [...titleLines(hook, width), ...findings(hook.problems, hook.notes, width)]);
  if (hooks.length === 0) lines.push([styled("No hooks are configured.")]);
  if (general.length + notes.length > 0) lines.push([], [styled("General")], ...findings(general, notes, width));
  const sum = problems === 0 ? "No problems." : `${problems} problem${problems === 1 ? "" : "s"}.`;
  context.lines([...lines, [], [styled(sum, problems === 0 ? "green" : "red")]]);
}

function titleLines(hook: ExaminedHook, width: number): readonly StyledLine[] {
  const matcher = hook.matcher === null ? "" : ` [${visible(hook.matcher)}]`;
  const event = hook.event === "" ? "-" : hook.event;
  const title = `${event}${matcher}  ${visibleCommand(hook.command ?? hook.name)}  (${stateOf(hook)})`;
  const [mark, style] = markOf(hook);
  return hanging({ lead: styled(`${mark} `, style), text: title, style: undefined }, width);
}

function markOf({ problems, enabled, broken }: ExaminedHook): readonly [mark: string, style: Style] {
  if (problems.length > 0 || broken) return ["✗", "red"];
  return enabled ? ["✓", "green"] : ["-", "dim"];
}

function stateOf({ source, enabled, exit_code, duration_ms, state, untrusted, broken }: ExaminedHook): string {
  if (state === "skipped") return "gateway hook, skipped";
  if (broken) return `${source}, does not load`;
  if (!enabled) return `${source}, off`;
  if (duration_ms === null) return source === "shell" ? "shell, not run" : `${source}${untrusted ? ", untrusted" : ""}`;
  return `shell, ${exit_code === null ? "no exit code" : `exit code ${exit_code}`}, ${Math.round(duration_ms)} ms`;
}

function findings(problems: readonly string[], notes: readonly string[], width: number): readonly StyledLine[] {
  return [
    ...problems.flatMap((text) => hanging({ lead: styled("    problem: ", "red"), text, style: undefined }, width)),
    ...notes.flatMap((text) => hanging({ lead: styled("    note: ", "dim"), text, style: "dim" }, width)),
  ];
}

interface Paragraph {
  readonly lead: { readonly text: string; readonly style?: Style };
  readonly text: string;
  readonly style: Style | undefined;
}

/** A text behind its lead, wrapped below its own beginning. */
function hanging({ lead, text, style }: Paragraph, width: number): readonly StyledLine[] {
  const indent = lead.text.length;
  return wrapWords(text, Math.max(20, width - indent)).map((line, index): StyledLine => [
    index === 0 ? lead : styled(" ".repeat(indent)),
    styled(line, style),
  ]);
}
