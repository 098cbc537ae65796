/** The hooks as a list for people: approval, matcher, what a failure does, how the last run ended. */
import { approvedWithout } from "#allowlist/decide";
import { visible, visibleCommand } from "#allowlist/visible";
import { declarationOf, isEventName } from "#core/events";
import type { CliContext } from "#cli/context";
import { listText, paragraph, printList, type Column, type Row } from "#cli/list";
import type { ListedHook } from "./listed-hook.ts";

const COLUMNS: readonly Column[] = [
  { head: "EVENT" },
  { head: "SOURCE" },
  { head: "COMMAND", kind: "text" },
  { head: "PROTOCOL", kind: "text", isOptional: true },
  { head: "MATCHER", kind: "text" },
  { head: "TIMEOUT", isOptional: true },
  { head: "FAILURE" },
  { head: "STATE", kind: "state" },
  { head: "LAST RUN", kind: "state" },
  { head: "AT", kind: "time", isOptional: true },
  { head: "APPROVED", kind: "time", isOptional: true },
];

/** Prints the hooks, and below them why some do not run as expected. */
export function printHooks(hooks: readonly ListedHook[], context: Pick<CliContext, "lines" | "out">): void {
  printList(context, COLUMNS, hooks.map(rowOf));
  const notes = notesOn(hooks);
  if (notes.length > 0) context.out(["", ...notes.map(paragraph)].join("\n"));
}

/** The same as one text, for a conversation. */
export function hookText(hooks: readonly ListedHook[]): string {
  return [listText(COLUMNS, hooks.map(rowOf)), ...notesOn(hooks).map(paragraph)].join("\n");
}

function rowOf(hook: ListedHook): Row {
  return [
    hook.event,
    hook.source,
    visibleCommand(hook.command ?? hook.name),
    protocolOf(hook),
    hook.matcher === null ? "" : visible(hook.matcher),
    `${hook.timeout} s`,
    onFailure(hook),
    stateOf(hook),
    lastOutcome(hook),
    hook.last_run?.time ?? "",
    hook.approved_at === null ? "" : visible(hook.approved_at),
  ];
}

/** What is not as for most hooks. */
function protocolOf({ protocol, protocol_event: event, coprocess }: ListedHook): string {
  const named = event === undefined ? `${protocol}` : `${protocol} ${event}`;
  const other = protocol === null || protocol === "hermes" ? [] : [`${named} (runs through sh -c)`];
  return [...other, ...(coprocess ? ["coprocess"] : [])].join(", ");
}

/** What happens to a call when its guard fails; the other events go on. */
function onFailure({ event, fail_closed: isClosed }: ListedHook): string {
  if (!isEventName(event) || declarationOf(event).kind !== "gate") return "";
  return isClosed ? "block" : "allow";
}

function lastOutcome({ last_run: run }: ListedHook): string {
  if (run === undefined) return "";
  if (run === null) return "never";
  const cause = run.cause === null ? "" : ` (${visible(run.cause)})`;
  return visible(run.outcome) + cause;
}

function notesOn(hooks: readonly ListedHook[]): readonly string[] {
  const skipped = hooks.flatMap(({ name, reason }) =>
    reason ? [`${visible(name)} is skipped: ${visible(reason)}`] : [],
  );
  const unpinned = hooks.flatMap((hook) =>
    hook.unpinned && hook.enabled
      ? [`${visibleCommand(hook.command ?? hook.name)} (${hook.event}): ${hook.unpinned}`]
      : [],
  );
  return [...skipped, ...unpinned];
}

function stateOf(hook: ListedHook): string {
  const { source, enabled, allowed, approved_without: missing = [], drift, problem, state, untrusted } = hook;
  if (state !== undefined) return `${state === "disabled" ? "off" : state}${untrusted ? ", untrusted" : ""}`;
  if (problem !== null) return "broken";
  if (!enabled) return "off";
  if (source === "plugin" || source === "python") return "enabled";
  const script = { none: "", unknown: "", modified: ", script modified", missing: ", script missing" }[drift];
  const approval = allowed ? "allowed" : missing.length > 0 ? approvedWithout(missing) : "not allowed";
  return `${approval}${script}`;
}
