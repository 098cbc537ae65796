/** What an observer's answer brings to the model, at the event that its row names, and what of it cannot be had. */
import { declarationOf } from "#core/events";
import type { FinishedRun, ParsedRun } from "#sandbox/shell/codec";
import { isMcpTool } from "./program-events.ts";
import type { Spoken } from "./spoken.ts";
import type { ProgramEvent } from "./program.ts";

type Said = Pick<Spoken, "denial" | "stop" | "context" | "replacement" | "lost">;
type Delivered = Pick<ParsedRun, "replacement" | "addition" | "unsupported">;

/** Without a reason, where a block replaces the result. */
const NO_REASON = "A hook rejected this result.";

export function deliveryOf(run: FinishedRun, row: ProgramEvent, said: Said): Delivered {
  const { event } = run.firing;
  const { denial, stop, context } = said;
  const feedback = row.deliversAt === undefined ? undefined : row.feedback;
  const replaced = replacementOf(run, row, said);
  const additions = [context, feedback === "append" ? denial?.message : undefined].filter(Boolean);
  const late = run.entry.background && row.deliversAt !== undefined;
  const brings = additions.length > 0 || (denial !== undefined && feedback === "replace");
  const problems = [
    replaced.problem ?? [],
    denial !== undefined && feedback === undefined
      ? `it wants to block, and ${event} (${row.name}) only observes here`
      : [],
    stop === undefined ? [] : `it wants to stop the turn, and ${event} (${row.name}) only observes here`,
    context !== undefined && row.deliversAt === undefined
      ? `it wants to add context, which ${event} cannot; a hook of pre_llm_call can`
      : [],
    said.lost ?? [],
    late && brings ? 'with "async: true" what it says to the model comes too late' : [],
  ].flat();
  const unsupported = problems.length === 0 ? undefined : problems.join("; ");
  if (late || row.deliversAt === undefined) return { unsupported };
  const rejected = denial === undefined || feedback !== "replace" ? undefined : denial.message || NO_REASON;
  return {
    unsupported,
    replacement: rejected ?? replaced.replacement,
    addition: additions.length === 0 ? undefined : additions.join("\n\n"),
  };
}

interface Replaced {
  readonly replacement?: string;
  /** Why the replacement does not count, as a clause. */
  readonly problem?: string;
}

/** What is no string goes to the model as JSON. */
function replacementOf({ entry, firing }: FinishedRun, row: ProgramEvent, { replacement }: Said): Replaced {
  if (replacement === undefined) return {};
  const { key, value, mcpOnly } = replacement;
  if (row.deliversAt === undefined || declarationOf(row.deliversAt).kind !== "transform") {
    return {
      problem: `it wants to replace a tool's output, which ${firing.event} cannot; a hook after a tool call can`,
    };
  }
  if (entry.background) return { problem: `with "async: true" its "${key}" comes too late` };
  const tool = String((firing.payload as { tool_name?: unknown }).tool_name);
  if (mcpOnly !== undefined && !isMcpTool(tool)) {
    return {
      problem:
        mcpOnly.instead === null
          ? `"${key}" is for MCP tools, not for ${tool}`
          : `"${key}" is for MCP tools; use "${mcpOnly.instead}" for ${tool}`,
    };
  }
  return { replacement: typeof value === "string" ? value : JSON.stringify(value) };
}
