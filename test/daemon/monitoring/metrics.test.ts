/** The metrics of a home as Prometheus reads them, checked by its own tool. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { observationOf, type Count } from "#core/ports/counters";
import { renderMetrics, type MetricsSnapshot } from "#daemon/monitoring/metrics";

const EMPTY: MetricsSnapshot = {
  counts: [],
  tasks: { active: 0, queued: 0 },
  webhooks: { pending: 0, oldestSeconds: 0 },
  inbox: { schedule: 0, background: 0, skill: 0, inject: 0, webhook: 0 },
  version: "1.2.3",
  known: { tools: ["terminal"], endpoints: ["task_failed"] },
};

/** Sums up what a home counts one after the other. */
function summed(counts: readonly Count[]): readonly Count[] {
  const sums = Map.groupBy(counts, ({ name, labels }) => JSON.stringify([name, labels]));
  return [...sums.values()].map((same) => ({
    ...same[0]!,
    amount: same.reduce((sum, { amount }) => sum + amount, 0),
  }));
}

function assertPromtoolAgrees(text: string): void {
  const { status, stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });
  assert.equal(error, undefined, "promtool of the Debian package prometheus is needed");
  assert.deepEqual([status, stdout, stderr], [0, "", ""]);
}

const lines = (text: string) => text.split("\n");

test("a new home has every metric at zero", async () => {
  const text = await renderMetrics(EMPTY);
  assertPromtoolAgrees(text);
  for (const line of [
    'hermes_tasks_total{status="completed"} 0',
    'hermes_tasks_total{status="failed"} 0',
    'hermes_tasks_total{status="cancelled"} 0',
    "hermes_tokens_used_total 0",
    'hermes_tool_calls_total{tool="terminal"} 0',
    'hermes_task_duration_seconds_bucket{le="+Inf"} 0',
    "hermes_task_duration_seconds_sum 0",
    "hermes_task_duration_seconds_count 0",
    "hermes_tasks_active 0",
    "hermes_tasks_queued 0",
    "# TYPE hermes_hook_runs_total counter",
    "# TYPE hermes_hook_duration_seconds histogram",
    'hermes_webhook_deliveries_total{endpoint="task_failed",outcome="disabled"} 0',
    "hermes_webhooks_pending 0",
    "hermes_webhooks_oldest_pending_seconds 0",
    'hermes_inbox_messages{source="webhook"} 0',
    'hermes_build_info{version="1.2.3"} 1',
  ])
    assert.ok(lines(text).includes(line), `${line}\nis missing in\n${text}`);
});

test("what was counted is there, histograms add up, and odd labels do not break the format", async () => {
  const odd = 'a "quote", a \\ and a\nline';
  const counts = summed([
    { name: "tasks", labels: ["failed"], amount: 3 },
    { name: "tool_calls", labels: [odd], amount: 2 },
    ...[0.5, 2, 2, 99_999].flatMap((seconds) => observationOf("task", [], seconds)),
    ...[0.0005, 0.003].flatMap((seconds) => observationOf("hook", ["pre_tool_call", "shell"], seconds)),
    ...observationOf("hook", [odd, "plugin"], 2),
    { name: "hook_runs", labels: ["pre_tool_call", "shell", "block"], amount: 2 },
    { name: "deliveries", labels: [odd, "delivered"], amount: 1 },
  ]);
  const text = await renderMetrics({ ...EMPTY, counts, webhooks: { pending: 2, oldestSeconds: 1.5 } });
  assertPromtoolAgrees(text);
  for (const line of [
    'hermes_tasks_total{status="failed"} 3',
    'hermes_tasks_total{status="completed"} 0',
    'hermes_tool_calls_total{tool="a \\"quote\\", a \\\\ and a\\nline"} 2',
    'hermes_task_duration_seconds_bucket{le="1"} 1',
    'hermes_task_duration_seconds_bucket{le="5"} 3',
    'hermes_task_duration_seconds_bucket{le="14400"} 3',
    'hermes_task_duration_seconds_bucket{le="+Inf"} 4',
    "hermes_task_duration_seconds_sum 100003.5",
    "hermes_task_duration_seconds_count 4",
    'hermes_hook_duration_seconds_bucket{event="pre_tool_call",source="shell",le="0.005"} 2',
    'hermes_hook_duration_seconds_count{event="pre_tool_call",source="shell"} 2',
    'hermes_hook_runs_total{event="pre_tool_call",source="shell",outcome="block"} 2',
    "hermes_webhooks_oldest_pending_seconds 1.5",
  ])
    assert.ok(lines(text).includes(line), `${line}\nis missing in\n${text}`);
});
