/** Which series of a counter are kept apart: a home must not have as many as somebody likes to make up. */
import { MOST_SERIES, MOST_TOOLS, OTHER, type CounterName } from "#core/ports/counters";

/** The labels of a new series, or those of all the others once there are too many of this counter. */
export function admittedLabels(name: CounterName, labels: readonly string[], series: number): readonly string[] {
  const most = name === "tool_calls" ? MOST_TOOLS : MOST_SERIES;
  return series < most ? labels : labels.map((value, index) => (isOpen(name, index) ? OTHER : value));
}

/** Whether a label's values come from outside: bounds of buckets and outcomes are few. */
function isOpen(name: CounterName, index: number): boolean {
  if (name === "tool_calls") return true;
  return (
    (name === "deliveries" && index === 0) || ((name === "hook_runs" || name.startsWith("hook_seconds")) && index < 2)
  );
}
