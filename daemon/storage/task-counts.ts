/** What the end and the work of tasks add to the home's counters. */
import { observationOf, type Count } from "#core/ports/counters";
import type { Task, TaskStatus } from "#core/ports/tasks";

/** `timeout` and `lost` count as failed (CONTRACT §12). */
const ENDS: Readonly<Partial<Record<TaskStatus, string>>> = {
  succeeded: "completed",
  failed: "failed",
  timeout: "failed",
  lost: "failed",
  cancelled: "cancelled",
};

/** A task that never started has no duration. */
export function endCounts({ status, duration_seconds: seconds }: Task): readonly Count[] {
  const end: Count = { name: "tasks", labels: [ENDS[status]!], amount: 1 };
  return seconds === null ? [end] : [end, ...observationOf("task", [], seconds)];
}

/** Tokens and tool calls of any turn. */
export function workCounts(tokens: number, calls: Readonly<Record<string, number>>): readonly Count[] {
  const counts: Count[] = Object.entries(calls).map(([tool, amount]) => ({
    name: "tool_calls",
    labels: [tool],
    amount,
  }));
  return tokens > 0 ? [...counts, { name: "tokens", labels: [], amount: tokens }] : counts;
}
