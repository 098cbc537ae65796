/** The metrics of a home in the text format of Prometheus (CONTRACT §12). */
import { Counter, Gauge, Registry, type Histogram } from "prom-client";
import { COUNTERS, HOOK_BUCKETS, TASK_BUCKETS, type Count, type CounterName } from "#core/ports/counters";

/** What is true of a home at one moment. */
export interface MetricsSnapshot {
  readonly counts: readonly Count[];
  readonly tasks: { readonly active: number; readonly queued: number };
  readonly webhooks: { readonly pending: number; readonly oldestSeconds: number };
  /** Queued messages by source, every source among them. */
  readonly inbox: Readonly<Record<string, number>>;
  readonly version: string;
  /** What is shown as 0 before anything was counted of it. */
  readonly known: { readonly tools: readonly string[]; readonly endpoints: readonly string[] };
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

export async function renderMetrics(snapshot: MetricsSnapshot): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const { tasks, webhooks, inbox, known } = snapshot;
  const counts = Map.groupBy(snapshot.counts, ({ name }) => name);
  const counted = (metric: string, help: string, name: CounterName, zeros: readonly (readonly string[])[]) => {
    const labelNames = COUNTERS[name];
    const counter = new Counter({ name: metric, help, labelNames, registers });
    for (const values of zeros) counter.inc(labelled(labelNames, values), 0);
    for (const { labels, amount } of counts.get(name) ?? []) counter.inc(labelled(labelNames, labels), amount);
  };
  const gauge = (name: string, help: string, value: number) => new Gauge({ name, help, registers }).set(value);

  const histogram = (options: StoredHistogramOptions) => registry.registerMetric(storedHistogram(options));

  counted("hermes_tasks_total", "Tasks that have ended.", "tasks", [["completed"], ["failed"], ["cancelled"]]);
  counted("hermes_tokens_used_total", "Tokens that turns used, input and output.", "tokens", [[]]);
  counted(
    "hermes_tool_calls_total",
    "Calls of tools.",
    "tool_calls",
    known.tools.map((tool) => [tool]),
  );
  histogram({
    name: "hermes_task_duration_seconds",
    help: "How long the last attempt of ended tasks took.",
    bounds: TASK_BUCKETS,
    labelNames: [],
    buckets: counts.get("task_seconds") ?? [],
    sums: counts.get("task_seconds_sum") ?? [],
  });
  gauge("hermes_tasks_active", "Tasks that are running.", tasks.active);
  gauge("hermes_tasks_queued", "Tasks that wait to be run.", tasks.queued);
  counted("hermes_hook_runs_total", "Runs of hooks.", "hook_runs", []);
  histogram({
    name: "hermes_hook_duration_seconds",
    help: "How long runs of hooks took.",
    bounds: HOOK_BUCKETS,
    labelNames: COUNTERS.hook_seconds_sum,
    buckets: counts.get("hook_seconds") ?? [],
    sums: counts.get("hook_seconds_sum") ?? [],
  });
  const outcomes = ["delivered", "failed", "disabled"];
  const zeros = known.endpoints.flatMap((endpoint) => outcomes.map((outcome) => [endpoint, outcome]));
  counted("hermes_webhook_deliveries_total", "Ended deliveries of outgoing webhooks.", "deliveries", zeros);
  gauge("hermes_webhooks_pending", "Deliveries that wait to be sent.", webhooks.pending);
  gauge(
    "hermes_webhooks_oldest_pending_seconds",
    "Age of the oldest of them; 0 when there is none.",
    webhooks.oldestSeconds,
  );
  const messages = new Gauge({
    name: "hermes_inbox_messages",
    help: "Messages that wait in inboxes of daemons.",
    labelNames: ["source"],
    registers,
  });
  for (const [source, waiting] of Object.entries(inbox)) messages.set({ source }, waiting);
  new Gauge({
    name: "hermes_build_info",
    help: "Always 1; the label tells the version.",
    labelNames: ["version"],
    registers,
  }).set({ version: snapshot.version }, 1);
  return registry.metrics();
}

function labelled<Name extends string>(names: readonly Name[], values: readonly string[]): Record<Name, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])) as Record<Name, string>;
}

interface StoredHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly labelNames: readonly string[];
  /** How much is in each bucket alone; the last label is its upper bound. */
  readonly buckets: readonly Count[];
  readonly sums: readonly Count[];
}

/**
 * A histogram whose buckets were counted before. That of prom-client counts observations of its own only, so this is as
 * much of one as a registry reads.
 */
function storedHistogram(options: StoredHistogramOptions): Histogram {
  const { name, help } = options;
  const read = {
    name,
    help,
    type: "histogram",
    get: async () => ({ name, help, type: "histogram", values: [...valuesOf(options)] }),
  };
  return read as unknown as Histogram;
}

function* valuesOf({ name, bounds, labelNames, buckets, sums }: StoredHistogramOptions) {
  const none = { labels: [] as readonly string[], amount: 0 };
  for (const { labels, amount: sum } of labelNames.length === 0 && sums.length === 0 ? [none] : sums) {
    const own = labelled(labelNames, labels);
    const ofOwn = buckets.filter((one) => labels.every((value, index) => one.labels[index] === value));
    const amounts = new Map(ofOwn.map((one) => [one.labels.at(-1), one.amount]));
    let total = 0;
    for (const bound of [...bounds.map(String), "+Inf"]) {
      total += amounts.get(bound) ?? 0;
      yield { metricName: `${name}_bucket`, labels: { ...own, le: bound }, value: total };
    }
    yield { metricName: `${name}_sum`, labels: own, value: sum };
    yield { metricName: `${name}_count`, labels: own, value: total };
  }
}
